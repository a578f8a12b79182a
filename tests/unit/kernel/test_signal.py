"""Moments that tests wait for."""

from __future__ import annotations

import asyncio

import pytest

from esclusa.kernel.signal import Signals
from esclusa.testing.virtual import settle

pytestmark = pytest.mark.virtual_time


async def test_a_signal_given_before_counts_once() -> None:
    signals = Signals()
    signals.listen()
    signals.emit("done", part=1)
    assert await signals.wait("done") == {"part": 1}
    waiting = asyncio.ensure_future(signals.wait("done"))
    await settle()
    assert not waiting.done()
    signals.emit("done", part=2)
    assert await waiting == {"part": 2}


async def test_only_what_fits_is_taken() -> None:
    signals = Signals()
    signals.listen()
    waiting = asyncio.ensure_future(signals.wait("done", part=2))
    await settle()
    signals.emit("done", part=1)
    signals.emit("other", part=2)
    signals.emit("done", part=2, more=3)
    assert await waiting == {"part": 2, "more": 3}
    assert await signals.wait("done") == {"part": 1}


async def test_in_production_nobody_listens() -> None:
    signals = Signals()
    signals.emit("done")
    with pytest.raises(RuntimeError, match="nobody listens"):
        await signals.wait("done")

"""Hearing of what was cancelled, wherever that was."""

from __future__ import annotations

import asyncio

import pytest

from esclusa.engines.memory import MemoryEngine
from esclusa.hub.cancellations import Cancellations
from esclusa.hub.stored import Cancelled, encode
from esclusa.hub.topics import CANCELS
from esclusa.kernel.clock import Clock
from support.sink import Sink

pytestmark = pytest.mark.virtual_time


async def test_everybody_is_told_and_it_is_remembered_until_it_expires() -> None:
    clock = Clock()
    engine = MemoryEngine(clock)
    await engine.start()
    await engine.upkeep.setup([CANCELS])
    logged = Sink()
    instrument = logged.instrument()
    cancelled = Cancellations(engine.log, clock, instrument)
    told: list[bytes] = []
    cancelled.add_listener(told.append)
    await cancelled.start()
    await engine.log.append(CANCELS, b"", b"what is this")
    await engine.log.append(CANCELS, b"", encode(Cancelled(b"1" * 16, clock.millis() + 2000)))
    await asyncio.sleep(0.1)
    assert told == [b"1" * 16]
    assert b"1" * 16 in cancelled
    assert b"2" * 16 not in cancelled
    assert instrument.counters["esclusa_hub_unreadable_total"].values == {("cancels",): 1}
    await asyncio.sleep(3)
    await engine.log.append(CANCELS, b"", encode(Cancelled(b"2" * 16, clock.millis() + 2000)))
    await asyncio.sleep(0.1)
    assert b"1" * 16 not in cancelled, "it has expired"
    await cancelled.stop()
    await engine.stop()

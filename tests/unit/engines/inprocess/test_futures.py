"""Futures whose result is known at once."""

from __future__ import annotations

import pytest

from esclusa.engines.inprocess.futures import done, failed


async def test_they_are_done_when_they_are_made() -> None:
    assert await done(7) == 7
    future = failed(ValueError("no"))
    assert future.done()
    with pytest.raises(ValueError, match="no"):
        await future

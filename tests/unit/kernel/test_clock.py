"""A process's time: wall time at start, monotonic from then on, whatever is done to the machine's clock."""

from __future__ import annotations

import asyncio
import time
from unittest import mock

import pytest

from esclusa.kernel.clock import Clock, rfc3339
from esclusa.testing.virtual import EPOCH


async def test_it_begins_with_the_machines_wall_time_and_does_not_follow_its_jumps() -> None:
    clock = Clock()
    assert abs(clock.now() - time.time()) < 1
    with mock.patch("time.time", return_value=0.0):
        assert abs(clock.now() - time.time()) > 1e9
        assert clock.millis() == pytest.approx(clock.now() * 1000, abs=50)


@pytest.mark.virtual_time
async def test_skew_and_epoch() -> None:
    assert Clock(epoch=EPOCH).now() == EPOCH
    assert Clock(epoch=EPOCH, skew=-2.5).now() == EPOCH - 2.5


@pytest.mark.virtual_time
async def test_call_at_a_point_in_time_or_not_if_cancelled() -> None:
    clock = Clock(epoch=EPOCH)
    called: list[tuple[str, float]] = []
    clock.call_at(EPOCH + 2, lambda what: called.append((what, clock.now())), "later")
    clock.call_at(EPOCH - 5, lambda what: called.append((what, clock.now())), "past")
    clock.call_at(EPOCH + 1, called.append, ("never", 0.0)).cancel()
    await clock.sleep(3)
    assert called == [("past", EPOCH), ("later", EPOCH + 2)]


@pytest.mark.virtual_time
async def test_sleeping_and_timing_out() -> None:
    clock = Clock(epoch=EPOCH)
    await clock.sleep_until(EPOCH + 10)
    await clock.sleep_until(EPOCH + 5)
    assert clock.now() == EPOCH + 10
    with pytest.raises(TimeoutError):
        async with clock.timeout_at(EPOCH + 12):
            await asyncio.Event().wait()
    assert clock.now() == EPOCH + 12


@pytest.mark.parametrize(
    ("millis", "text"),
    [(0, "1970-01-01T00:00:00.000Z"), (1_795_372_786_007, "2026-11-22T18:39:46.007Z"), (999, "1970-01-01T00:00:00.999Z")],
)
def test_times_are_written_in_utc_with_milliseconds(millis: int, text: str) -> None:
    assert rfc3339(millis) == text

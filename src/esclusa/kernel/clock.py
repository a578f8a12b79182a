"""Time as a dependency: the one place that reads a clock or sleeps.

A process reads wall time once, at start, and from then on adds the event loop's monotonic time, so its time never goes
back and never jumps, whatever is done to the machine's clock. Points in time are seconds since the epoch (`float`) while
they are in use and milliseconds since the epoch (`int`) once they are stored or sent.

In tests the loop's time is virtual (`esclusa.testing.virtual_time`), and all of this with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVarTuple

Args = TypeVarTuple("Args")

STANDSTILL = 0.5
"""Seconds by which a timer is late only if the process has stood still: stopped, or swapped out."""
CATCH_UP = 0.05
"""Seconds in which what has come in meanwhile is taken."""


class Clock:
    """A process's time. Make it inside a running event loop; every part is given one."""

    __slots__ = ("_loop", "_origin")

    def __init__(self, *, skew: float = 0.0, epoch: float | None = None) -> None:
        """`skew`: seconds by which this process's wall clock is off; `epoch`: wall time now, instead of the machine's."""
        self._loop = asyncio.get_running_loop()
        self._origin = (time.time() if epoch is None else epoch) + skew - self._loop.time()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._origin + self._loop.time()

    def millis(self) -> int:
        """Milliseconds since the epoch, rounded down: the form in which times are stored and sent."""
        return int((self._origin + self._loop.time()) * 1000)

    def ticks(self) -> float:
        """Seconds of a counter that runs on within one turn of the loop; only the difference of two means anything.

        For measuring work. It is real even where the loop's time is virtual.
        """
        return time.perf_counter()

    def call_at(self, when: float, callback: Callable[[*Args], object], *args: *Args) -> asyncio.TimerHandle:
        """Call `callback(*args)` at `when` (seconds since the epoch; at once when that is past), unless cancelled."""
        return self._loop.call_at(when - self._origin, callback, *args)

    def stood_still(self, when: float) -> bool:
        """Whether a timer set to `when` goes off so late that the process must have stood still.

        Then nobody is to blame for what is overdue: it may be there, unread. Set the timer anew, `CATCH_UP` from now.
        """
        return self.now() - when > STANDSTILL

    async def sleep(self, seconds: float) -> None:
        """Give way for `seconds`."""
        await asyncio.sleep(seconds)

    async def sleep_until(self, when: float) -> None:
        """Give way until `when` (seconds since the epoch)."""
        await asyncio.sleep(max(0.0, when - self.now()))

    def timeout_at(self, when: float) -> asyncio.Timeout:
        """An async context that raises `TimeoutError` at `when` (seconds since the epoch). Costs about 10 µs."""
        return asyncio.timeout_at(when - self._origin)


def rfc3339(millis: int) -> str:
    """`2026-11-22T10:20:30.456Z` for milliseconds since the epoch (RFC 3339, UTC, milliseconds)."""
    whole, rest = divmod(millis, 1000)
    return f"{_second(whole)}.{rest:03d}Z"


@lru_cache(maxsize=256)
def _second(whole: int) -> str:
    """`2026-11-22T10:20:30`. Times that are shown together are of few seconds, and this is most of what one costs."""
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}"

"""Many deadlines on one timer of the event loop.

To set and to cancel a timer of the loop costs three times what two dictionary updates do. What is due within the same
50 ms shares a bucket, and one timer is set for the earliest moment of the earliest bucket: nothing is early or late for
it. What is cleared in time, as nearly everything is, wakes nobody.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from esclusa.kernel.clock import CATCH_UP, Clock

NEVER = math.inf
_A_SECOND = 20
"""Buckets of one second."""
_RESOLUTION = 0.001
"""Seconds: a loop's clock may wake this much too early."""


class Due(Protocol):
    """Something that can stand on a wheel; hashed by identity."""

    due: float
    """Set by the wheel alone: when its moment is, in seconds since the epoch; `NEVER` while it is not on the wheel."""


Item = TypeVar("Item", bound=Due)


class Wheel(Generic[Item]):
    """Calls `reached(item)` at each item's moment, in order of their making within one moment.

    An item has one moment at a time. If `reached` raises, the loop's exception handler has it, and the others are called
    all the same.
    """

    __slots__ = ("_armed", "_buckets", "_clock", "_late", "_reached", "_timer")

    def __init__(self, clock: Clock, reached: Callable[[Item], None]) -> None:
        self._clock = clock
        self._reached = reached
        self._buckets: dict[int, dict[Item, None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._armed = NEVER
        self._late = False
        """The process has stood still, and what it slept through is left until the timer goes off once more."""

    def set(self, item: Item, when: float) -> None:
        """`item`'s moment is `when` (seconds since the epoch), instead of any that it had."""
        if item.due != NEVER:
            self.clear(item)
        item.due = when
        place = int(when * _A_SECOND)
        bucket = self._buckets.get(place)
        if bucket is None:
            self._buckets[place] = {item: None}
        else:
            bucket[item] = None
        if when < self._armed:
            self._arm(when)

    def clear(self, item: Item) -> None:
        """`item` has no moment any more; it need not have had one."""
        place = int(item.due * _A_SECOND) if item.due != NEVER else -1
        item.due = NEVER
        bucket = self._buckets.get(place)
        if bucket is None:
            return
        bucket.pop(item, None)
        if not bucket:
            del self._buckets[place]

    def items(self) -> list[Item]:
        """Those that have a moment."""
        return [item for bucket in self._buckets.values() for item in bucket]

    def close(self) -> list[Item]:
        """Forget every moment; the items that had one."""
        items = self.items()
        for item in items:
            self.clear(item)
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._armed = None, NEVER
        return items

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed = max(when, self._clock.now())
        self._timer = self._clock.call_at(when, self._fire)

    def _fire(self) -> None:
        armed, self._timer, self._armed = self._armed, None, NEVER
        self._late = not self._late and self._clock.stood_still(armed)
        if self._late:
            self._arm(self._clock.now() + CATCH_UP)
            return
        now = self._clock.now() + _RESOLUTION
        last = int(now * _A_SECOND)
        due = [item for place, bucket in self._buckets.items() if place <= last for item in bucket if item.due <= now]
        due.sort(key=lambda item: item.due)
        try:
            for item in due:
                if item.due <= now:  # else one called before it has cleared it or given it another moment
                    self.clear(item)
                    self._reached(item)
        finally:
            if self._buckets:
                earliest = min(item.due for item in self._buckets[min(self._buckets)])
                if earliest < self._armed:
                    self._arm(earliest)

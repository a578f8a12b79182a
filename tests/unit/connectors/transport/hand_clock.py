"""A clock that is moved by hand: for waits of a client whose back end is on a real socket, which virtual time can't wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from esclusa.kernel.clock import Args, Clock

EPOCH = 1_800_000_000.0


class HandClock(Clock):
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        super().__init__(epoch=EPOCH)
        self._time = EPOCH
        self._timers: list[HandTimer] = []

    def now(self) -> float:
        return self._time

    def call_at(self, when: float, callback: Callable[[*Args], object], *args: *Args) -> asyncio.TimerHandle:
        timer = HandTimer(when, lambda: callback(*args))
        self._timers.append(timer)
        return cast("asyncio.TimerHandle", timer)

    async def sleep(self, seconds: float) -> None:
        over = asyncio.get_running_loop().create_future()
        self.call_at(self._time + seconds, lambda: None if over.done() else over.set_result(None))
        await over

    def move(self, seconds: float) -> None:
        """Let `seconds` pass, with all that falls into them."""
        until = self._time + seconds
        while due := sorted((timer for timer in self._timers if timer.when <= until), key=lambda timer: timer.when):
            self._time = max(self._time, due[0].when)
            self._timers.remove(due[0])
            due[0].go_off()
        self._time = until

    @property
    def timers(self) -> int:
        """Timers that are set."""
        return sum(not timer.cancelled for timer in self._timers)

    @property
    def rest(self) -> float:
        """Seconds until the next of them goes off."""
        return min(timer.when for timer in self._timers if not timer.cancelled) - self._time


class HandTimer:
    """What a hand-moved clock gives for a timer."""

    def __init__(self, when: float, action: Callable[[], object]) -> None:
        self.when = when
        self.cancelled = False
        self._action = action

    def cancel(self) -> None:
        """Never go off."""
        self.cancelled = True

    def go_off(self) -> None:
        """It is time."""
        if not self.cancelled:
            self._action()

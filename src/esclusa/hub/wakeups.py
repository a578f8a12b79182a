"""Wake-ups: whoever waits for a request hears of its new rows, whichever process wrote them.

A wake-up may be lost or come twice: who waits looks again by itself every `LOOK` seconds, or less often where very many wait.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from esclusa.hub.stored import Woken
from esclusa.hub.subscriptions import events, heard
from esclusa.hub.topics import WAKEUPS
from esclusa.hub.unreadable import UnreadableMessages
from esclusa.kernel.lifecycle import Background

if TYPE_CHECKING:
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.instrument import Instrument
    from esclusa.ports.log import Log, Subscription

LOOK = 2.0
"""Seconds after which a waiter looks without having been woken."""
LOOKS = 1_000
"""Such looks a second in a process, about: where more wait than that allows, each looks less often."""
PACE = 0.02
"""Seconds between two looks of a waiter, unless all that it waits for is there."""
ALL = 1 << 30
"""More rows than any request has: look at once."""


class Waiter:
    """Somebody who waits for one request. What happens between two waits is not missed.

    Where answers trickle in, a look for each would cost more than the answers: so a waiter is woken at once when all that
    it waits for is there, and otherwise `PACE` after its last look at the earliest.
    """

    __slots__ = ("_clock", "_interval", "_looked", "_missing", "_rows", "_timer", "_waiting")

    def __init__(self, clock: Clock, interval: Callable[[], float] = lambda: LOOK) -> None:
        """`interval`: seconds after which it looks without having been woken."""
        self._clock = clock
        self._interval = interval
        self._looked = clock.now()
        self._rows = 0
        """New rows since the last look, as far as is known."""
        self._missing = 0
        self._waiting: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def wake(self, rows: int) -> None:
        """`rows` more rows of the request have been written."""
        self._rows += rows
        if self._waiting is not None:
            self._plan()

    async def wait(self, until: float, missing: int) -> None:
        """Return when it is time to look again: see above; and after the interval, or at `until` (seconds since the epoch).

        `missing`: answers that are not there yet.
        """
        self._missing = missing
        self._waiting = asyncio.get_running_loop().create_future()
        last = self._clock.call_at(min(until, self._clock.now() + self._interval()), self._end)
        try:
            if self._rows:
                self._plan()
            await self._waiting
        finally:
            last.cancel()
            if self._timer is not None:
                self._timer.cancel()
            self._waiting = self._timer = None
        self._rows = 0
        self._looked = self._clock.now()

    def _plan(self) -> None:
        if self._rows >= self._missing:
            self._end()
        elif self._timer is None:
            self._timer = self._clock.call_at(self._looked + PACE, self._end)

    def _end(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class Wakeups:
    """The part that listens for wake-ups, and wakes whoever waits in this process."""

    def __init__(self, log: Log, clock: Clock, instrument: Instrument, heard: Callable[[bytes, int], None]) -> None:
        """`heard(id, rows)` for every request with new rows."""
        self.background = Background("wakeups")
        self._log = log
        self._clock = clock
        self._instrument = instrument
        self._heard = heard
        self._unreadable = UnreadableMessages(instrument)
        self._waiters: dict[bytes, set[Waiter]] = {}
        self._subscription: Subscription | None = None
        self._over = False

    async def start(self) -> None:
        """Listen from now on."""
        self._subscription = await self._log.subscribe(WAKEUPS, None)
        self.background.spawn("listen", self._listen(self._subscription))

    async def drain(self) -> None:
        """Whoever waits is woken, and `draining` is true from now on: waits end early.

        Drain it after the pools and the collectors: then the look of who is woken shows the last answers.
        """
        self._over = True
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.wake(ALL)

    async def stop(self) -> None:
        """Stop listening."""
        if self._subscription is not None:
            await self._subscription.close()
        await self.background.cancel()

    @property
    def draining(self) -> bool:
        """The process is about to end: answer with what there is."""
        return self._over

    @contextlib.contextmanager
    def waiter(self, id: bytes) -> Iterator[Waiter]:
        """Listen for `id`: enter first, then read, then wait."""
        waiter = Waiter(self._clock, self._interval)
        waiters = self._waiters.setdefault(id, set())
        waiters.add(waiter)
        try:
            yield waiter
        finally:
            waiters.discard(waiter)
            if not waiters and self._waiters.get(id) is waiters:
                del self._waiters[id]

    def _interval(self) -> float:
        return max(LOOK, len(self._waiters) / LOOKS)

    async def _listen(self, subscription: Subscription) -> None:
        said = events(subscription, WAKEUPS.name, self._clock, self._instrument)
        async for woken in heard(said, Woken, partial(self._unreadable.add, WAKEUPS.name)):
            for id, rows in woken.rows.items():
                self._heard(id, rows)
                for waiter in self._waiters.get(id, ()):
                    waiter.wake(rows)

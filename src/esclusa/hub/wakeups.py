"""Wake-ups: whoever waits for a request hears of its new rows, whichever process wrote them.

A wake-up may be lost or come twice: who waits looks again by itself every `LOOK` seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from esclusa.hub.broadcast import heard
from esclusa.hub.stored import Woken
from esclusa.hub.topics import WAKEUPS
from esclusa.kernel.lifecycle import Background

if TYPE_CHECKING:
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.errors import Unreadable
    from esclusa.ports.log import Log, Subscription

LOOK = 2.0
"""Seconds after which a waiter looks without having been woken."""


class Waiter:
    """Somebody who waits for one request. What happens between two waits is not missed."""

    __slots__ = ("_clock", "_woken")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There may be something new."""
        self._woken.set()

    async def wait(self, until: float) -> None:
        """Return when woken, after `LOOK`, or at `until` (seconds since the epoch), whichever comes first."""
        with contextlib.suppress(TimeoutError):
            async with self._clock.timeout_at(min(until, self._clock.now() + LOOK)):
                await self._woken.wait()
        self._woken.clear()


class Wakeups:
    """The part that listens for this process."""

    def __init__(self, log: Log, clock: Clock, heard: Callable[[bytes, int], None]) -> None:
        """`heard(id, rows)` for every request with new rows."""
        self.background = Background("wakeups")
        self._log = log
        self._clock = clock
        self._heard = heard
        self._waiters: dict[bytes, set[Waiter]] = {}
        self._subscription: Subscription | None = None
        self._over = False

    async def start(self) -> None:
        """Listen from now on."""
        self._subscription = await self._log.subscribe(WAKEUPS, None)
        self.background.spawn("listen", self._listen(self._subscription))

    async def drain(self) -> None:
        """Whoever waits is woken, and `draining` is true from now on: waits end early."""
        self._over = True
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.wake()

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
        waiter = Waiter(self._clock)
        waiters = self._waiters.setdefault(id, set())
        waiters.add(waiter)
        try:
            yield waiter
        finally:
            waiters.discard(waiter)
            if not waiters and self._waiters.get(id) is waiters:
                del self._waiters[id]

    async def _listen(self, subscription: Subscription) -> None:
        async for woken in heard(subscription, Woken, _ignore):
            for id, rows in woken.rows.items():
                self._heard(id, rows)
                for waiter in self._waiters.get(id, ()):
                    waiter.wake()


def _ignore(_: Unreadable) -> None:
    """A wake-up that can't be read is a lost one: its waiters look by themselves."""

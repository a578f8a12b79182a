"""What has been cancelled, as far as this process has heard: one listener for all that it runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from esclusa.hub.stored import Cancelled
from esclusa.hub.subscriptions import events, heard
from esclusa.hub.topics import CANCELS
from esclusa.hub.unreadable import UnreadableMessages
from esclusa.kernel.lifecycle import Background

if TYPE_CHECKING:
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.instrument import Instrument
    from esclusa.ports.log import Log, Subscription

PRUNE_EVERY_MS = 1000
"""Milliseconds between two looks for cancelled requests that have expired."""


class Cancellations:
    """The part that hears of cancelled requests (H8). Start it before the pools."""

    def __init__(self, log: Log, clock: Clock, instrument: Instrument) -> None:
        self.background = Background("cancellations")
        self._log = log
        self._unreadable = UnreadableMessages(instrument)
        self._clock = clock
        self._instrument = instrument
        self._cancelled: dict[bytes, int] = {}
        """Until when each is remembered, in milliseconds since the epoch: its expiry."""
        self._pruned = 0
        self._listeners: list[Callable[[bytes], None]] = []
        self._subscription: Subscription | None = None

    def add_listener(self, listener: Callable[[bytes], None]) -> None:
        """Call `listener(id)` for each request that is cancelled from now on."""
        self._listeners.append(listener)

    def __contains__(self, id: bytes) -> bool:
        return id in self._cancelled

    async def start(self) -> None:
        """Listen from now on."""
        self._subscription = await self._log.subscribe(CANCELS, None)
        self.background.spawn("listen", self._listen(self._subscription))

    async def drain(self) -> None:
        """Go on: what is in the air may still be cancelled."""

    async def stop(self) -> None:
        """Listen no more."""
        if self._subscription is not None:
            await self._subscription.close()
        await self.background.cancel()

    async def _listen(self, subscription: Subscription) -> None:
        said = events(subscription, CANCELS.name, self._clock, self._instrument)
        async for cancelled in heard(said, Cancelled, partial(self._unreadable.add, CANCELS.name)):
            self._forget_expired()
            self._cancelled[cancelled.id] = cancelled.expires
            for listener in self._listeners:
                listener(cancelled.id)

    def _forget_expired(self) -> None:
        now = self._clock.millis()
        if now - self._pruned >= PRUNE_EVERY_MS:
            self._pruned = now
            for id in [id for id, until in self._cancelled.items() if until <= now]:
                del self._cancelled[id]

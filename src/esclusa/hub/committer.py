"""How far each partition that this process has is done with, committed now and then.

Seldom, because it costs a write, and because it may be late: what is done and not committed is found again by the next
owner, in the answers or as rows that change nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from esclusa.hub.tracker import Tracker
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.instrument import Instrument
    from esclusa.ports.log import Subscription

EVERY = 0.05
"""Seconds between two commits."""


class Tracked(Protocol):
    """A partition that this process has been given."""

    partition: int
    tracker: Tracker
    committed: int
    """The position committed last."""
    gone: bool
    """Being taken away: whoever takes it away commits it."""


class Committer:
    """Commits the partitions `shares` of one subscription."""

    def __init__(self, topic: str, shares: Mapping[int, Tracked], clock: Clock, instrument: Instrument) -> None:
        self._topic = topic
        self._shares = shares
        self._clock = clock
        self._instrument = instrument
        self._soon = False
        self.subscription: Subscription | None = None
        """None: nothing is committed."""

    def finish(self, share: Tracked, offset: int) -> None:
        """One thing that held the message at `offset` is done; commit soon how far that gets."""
        share.tracker.finish(offset)
        if not self._soon:
            self._soon = True
            self._clock.call_at(self._clock.now() + EVERY, self._commit)

    async def last(self, subscription: Subscription, share: Tracked) -> None:
        """Commit `share` for the last time; a commit that fails is logged."""
        commit = subscription.commit(share.partition, share.tracker.position)
        await asyncio.wait({commit})
        self._committed(commit)

    def _commit(self) -> None:
        self._soon = False
        if self.subscription is None:
            return
        for share in self._shares.values():
            if not share.gone and share.tracker.position > share.committed:
                share.committed = share.tracker.position
                self.subscription.commit(share.partition, share.committed).add_done_callback(self._committed)

    def _committed(self, future: asyncio.Future[None]) -> None:
        if not future.cancelled() and (error := future.exception()) is not None:
            self._instrument.warn("position not committed", topic=self._topic, error=str(error))

"""Positions: what of each partition is done with, and committing it now and then.

The position to commit is the lowest message that is not done with. It is committed seldom, because that costs a write, and
because it may be late: what is done and not committed is found again by the next owner, in the answers or as rows that
change nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.instrument import Instrument
    from esclusa.ports.log import Assigned, Subscription

EVERY = 0.05
"""Seconds between two commits."""
PATIENCE = 3.0
"""Seconds that the last commit of a partition may take."""
AGAIN = 1.0
"""Seconds before a commit that failed is tried again."""


class Tracker:
    """Messages taken in order and finished in any order."""

    __slots__ = ("_holds", "_open", "next")

    def __init__(self, position: int) -> None:
        """`position`: the first offset that may come."""
        self.next = position
        """The first offset that has not been taken."""
        self._open: deque[int] = deque()
        self._holds: dict[int, int] = {}

    def take(self, offset: int) -> None:
        """A message has been received, and is held once; offsets grow, gaps are fine."""
        self._open.append(offset)
        self._holds[offset] = 1
        self.next = offset + 1

    def hold(self, offset: int) -> None:
        """One more thing stands between this message and its end."""
        self._holds[offset] += 1

    def finish(self, offset: int) -> None:
        """One of those things is done; with the last, the message is."""
        left = self._holds[offset] - 1
        if left:
            self._holds[offset] = left
            return
        del self._holds[offset]
        while self._open and self._open[0] not in self._holds:
            self._open.popleft()

    @property
    def position(self) -> int:
        """Everything below is done with."""
        return self._open[0] if self._open else self.next


class OwnedPartition:
    """A partition that this process has been given."""

    def __init__(self, event: Assigned) -> None:
        self.number = event.partition
        self.tracker = Tracker(event.committed)
        self.committed = event.committed
        """The position committed last."""
        self.gone = False
        """Being taken away, or lost: nothing more of it is handed out, and whoever takes it away commits it."""


class Committer:
    """Commits the partitions that this process owns of one subscription."""

    def __init__(self, topic: str, owned: Mapping[int, OwnedPartition], clock: Clock, instrument: Instrument) -> None:
        self._topic = topic
        self._owned = owned
        self._clock = clock
        self._instrument = instrument
        self._soon = False
        self.subscription: Subscription | None = None
        """None: nothing is committed."""

    def finish(self, partition: OwnedPartition, offset: int) -> None:
        """One thing that held the message at `offset` is done; commit soon how far that gets."""
        partition.tracker.finish(offset)
        self._plan(EVERY)

    async def last(self, subscription: Subscription, partition: OwnedPartition) -> None:
        """Commit `partition` for the last time; a commit that fails, or does not end within `PATIENCE`, is logged.

        Then the next owner finds more to do, and what of it has been done.
        """
        commit = subscription.commit(partition.number, partition.tracker.position)
        done, _ = await asyncio.wait({commit}, timeout=PATIENCE)
        if done:
            self._committed(partition, partition.committed, commit)
        else:
            commit.add_done_callback(partial(self._committed, partition, partition.committed))
            self._instrument.warn("last position not committed in time", topic=self._topic)

    def _plan(self, after: float) -> None:
        if not self._soon:
            self._soon = True
            self._clock.call_at(self._clock.now() + after, self._commit)

    def _commit(self) -> None:
        self._soon = False
        if self.subscription is None:
            return
        for partition in self._owned.values():
            if not partition.gone and partition.tracker.position > partition.committed:
                before, partition.committed = partition.committed, partition.tracker.position
                commit = self.subscription.commit(partition.number, partition.committed)
                commit.add_done_callback(partial(self._committed, partition, before))

    def _committed(self, partition: OwnedPartition, before: int, future: asyncio.Future[None]) -> None:
        if future.cancelled() or (error := future.exception()) is None:
            return
        self._instrument.warn("position not committed, again", topic=self._topic, error=str(error))
        partition.committed = min(partition.committed, before)
        self._plan(AGAIN)

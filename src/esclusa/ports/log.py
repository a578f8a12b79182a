"""The log: ordered, durable, partitioned topics, read by groups.

- *Order*: messages of one key stand in one partition in the order in which `append` was called by one process.
- *Durable*: when the future of `append` is done, the message survives the death of this process (for a `broadcast`
  topic nothing is promised but delivery to who is subscribed).
- *At least once*: a message that could not be acknowledged at once may stand twice, and one whose `append` has failed may
  stand there all the same. The second one comes after what followed on the first. Readers tell by what it says.
- *Groups*: each partition of a topic is given to one member of a group at a time; a new group starts at the earliest
  message kept. What lies at or after the committed position is delivered again to the next owner.
- *Positions*: `commit(partition, position)` says that everything below `position` is done with. A position never goes
  back, and a commit for a partition that is no longer the member's is ignored.
- *Back-pressure*: a member that does not `receive`, or has paused, makes nobody's memory grow: engines hold a bounded
  number of bytes for it, and `append` fails with `StorageUnavailable` rather than queue without bound.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import msgspec

from esclusa.kernel.message import Message

RELEASE = 10.0
"""Seconds that a member has from `Revoked` to its release, unless it says that it needs more."""


class Topic(msgspec.Struct, frozen=True):
    """A topic as the capabilities declare it; `setup` of the engine makes it."""

    name: str
    """Letters, digits, `.`, `-`, `_`; at most 200 characters."""
    partitions: int = 1
    keep: float = 3600.0
    """Seconds after which a message may be deleted; never before."""
    broadcast: bool = False
    """Read by everybody without a group, from now on; nothing is kept for who is not there."""


class Assigned(msgspec.Struct, frozen=True, gc=False):
    """This member has been given `partition`."""

    partition: int
    committed: int
    """Where it goes on: nothing below is delivered."""
    end: int
    """The position after the last message at this moment, as `Log.end` tells it."""


class Revoked(msgspec.Struct, frozen=True, gc=False):
    """`partition` is being taken away: hand out no more of it, commit, then `release` it."""

    partition: int
    lost: bool = False
    """It is another's already; nothing of it may be committed."""


class Delivered(msgspec.Struct, frozen=True, gc=False):
    """Messages of one partition, in order, following on the last ones of that partition."""

    partition: int
    messages: Sequence[Message]


Event = Assigned | Revoked | Delivered


class Subscription(Protocol):
    """A member of a group (or, without one, a listener of a broadcast topic, which only ever gets `Delivered`)."""

    async def receive(self) -> Event:
        """The next thing that happens; waits for it. `Closed` once closed. Cancelling it loses nothing.

        `StorageUnavailable` when what comes next can't be read now: call it again, nothing is passed over.
        """

    def pause(self, *, paused: bool) -> None:
        """While paused, `receive` gives no `Delivered`, but for one that it is handing over right now; all else is as ever.

        So who has no room for messages still hears of it when a partition is given or taken away. It holds for partitions
        that are given later too, and nothing is passed over. A listener is never paused.
        """

    def commit(self, partition: int, position: int) -> Future[None]:
        """Everything of `partition` below `position` is done with. Done when that is durable."""

    async def release(self, partition: int) -> None:
        """Give up a `Revoked` partition; who does not in the time that it said at `subscribe` loses it."""

    async def close(self) -> None:
        """Leave: what was given is given to others, from what was committed. Wakes a waiting `receive` with `Closed`."""


class Log(Protocol):
    """Topics to append to and to read from."""

    def append(self, topic: Topic, key: bytes, value: bytes) -> Future[int]:
        """Append; the offset, once it is durable. `StorageUnavailable` when it is not known to be."""

    def read(self, topic: Topic, partition: int, since: int, end: int, start: int = 0) -> AsyncIterator[Sequence[Message]]:
        """What stands in `partition` from the first message made at or after `since` (ms since the epoch) on, below `end`.

        `end`: as `end` has told it, or after a message that was acknowledged. All of it, whenever made, but for what stands
        below `start`; `StorageUnavailable` when it can't be read as far as that. In order, in bounded batches, past no group.
        Some made before `since` may come first, none below `start`.
        """

    async def end(self, topic: Topic, partition: int) -> int:
        """The position after the last message of `partition` at this moment.

        It may be told by a server that was stopped, or cut off, and hasn't heard of the last messages: to be certain, append
        one. Whatever was acknowledged before stands below it.
        """

    async def subscribe(self, topic: Topic, group: str | None, release: float = RELEASE) -> Subscription:
        """Join `group`; or, with None, listen to a broadcast topic from now on.

        `release`: seconds that this member has between a `Revoked` and its release.
        """

    async def close(self) -> None:
        """Finish the appends at hand, close the subscriptions, let go."""


def partition_of(key: bytes, partitions: int) -> int:
    """The partition in which `key` stands: the same on every engine and in every process (FNV-1a, 32 bits).

    Both topics of a pool have the same number of partitions, so a request and its answers stand in the same one.
    """
    value = 0x811C9DC5
    for byte in key:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value % partitions

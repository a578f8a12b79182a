"""The log of an engine that lives in one process."""

from __future__ import annotations

from asyncio import Future
from collections.abc import AsyncIterator, Sequence

from esclusa.engines.inprocess.futures import done, failed
from esclusa.engines.inprocess.subscription import GroupMember, Listener
from esclusa.engines.inprocess.topics import Topics
from esclusa.engines.inprocess.writer import Append, Writer
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed, StorageError
from esclusa.kernel.message import Message
from esclusa.ports.log import RELEASE, Subscription, Topic, partition_of


class InProcessLog:
    """`esclusa.ports.log.Log` over the `topics` of an engine, for one process: its `writer`, its `clock`."""

    def __init__(self, topics: Topics, writer: Writer, clock: Clock) -> None:
        self._topics = topics
        self._writer = writer
        self._clock = clock
        self._subscriptions: list[GroupMember | Listener] = []
        self._closed = False

    def append(self, topic: Topic, key: bytes, value: bytes) -> Future[int]:
        """Append; the offset, once it is durable. A broadcast message is handed over at once."""
        made = self._clock.millis()
        try:
            self._check()
            if topic.broadcast:
                return done(self._topics.channel(topic).publish(made, key, value))
            partitions = self._topics.kept(topic).partitions
        except StorageError as error:
            return failed(error)
        return self._writer.submit(Append(partitions[partition_of(key, len(partitions))], made, key, value))

    async def read(
        self, topic: Topic, partition: int, since: int, end: int, start: int = 0
    ) -> AsyncIterator[Sequence[Message]]:
        """What stands from `start` on and from the first message made at or after `since` on, below `end`, by batches."""
        self._check()
        source = self._topics.partition(topic, partition)
        position = source.since(since, start)
        while batch := source.fetch(position, end):
            yield batch
            position = batch[-1].offset + 1
            await self._clock.sleep(0)
            self._check()

    async def end(self, topic: Topic, partition: int) -> int:
        """The position after the last durable message."""
        self._check()
        if topic.broadcast:
            return self._topics.channel(topic).ends[partition]
        return self._topics.partition(topic, partition).end

    async def subscribe(self, topic: Topic, group: str | None, release: float = RELEASE) -> Subscription:
        """Join `group`, or listen to a broadcast topic; `ValueError` for a group of a broadcast topic and for none."""
        self._check()
        if topic.broadcast != (group is None):
            raise ValueError(f"topic {topic.name!r}: a broadcast topic is listened to without a group, any other with one")
        subscription: GroupMember | Listener
        if group is None:
            subscription = Listener(self._topics.channel(topic), self._clock)
        else:
            subscription = GroupMember(self._topics.kept(topic).group(group), self._writer, self._clock, release)
        self._subscriptions = [other for other in self._subscriptions if not other.closed]
        self._subscriptions.append(subscription)
        return subscription

    def _check(self) -> None:
        if self._closed:
            raise Closed("the log is closed")

    async def close(self) -> None:
        """Finish the appends at hand, close the subscriptions, let go."""
        self._closed = True
        for subscription in self._subscriptions:
            await subscription.close()
        self._subscriptions.clear()
        await self._writer.settled()

    def kill(self) -> None:
        """Die: as close, with nothing finished."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.kill()
        self._subscriptions.clear()

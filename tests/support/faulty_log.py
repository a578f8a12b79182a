"""Stands in for a process's log: the real one, but for what it is told to refuse, to hold, or to lose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.message import Message
from esclusa.ports.log import RELEASE, Event, Log, Subscription, Topic


class FaultyLog:
    """A process's log, which refuses appends of answers, or holds its reads, when told to."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._reads: asyncio.Event | None = None
        self.refuse = False
        self.uncommitted = 0
        """How many commits fail."""
        self.unreadable = 0
        """How many times in a row nothing can be received."""
        self.read_through = 0
        """How many messages have been read past groups."""
        self.subscribed: list[Subscription] = []
        self.unsubscribable = ""
        """The beginning of the names of topics that nobody can subscribe to."""

    def hold_reads(self, until: asyncio.Event) -> None:
        self._reads = until

    def append(self, topic: Topic, key: bytes, value: bytes) -> asyncio.Future[int]:
        if self.refuse and topic.name.startswith("answers."):
            future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            future.set_exception(StorageUnavailable("told to refuse"))
            return future
        return self._log.append(topic, key, value)

    async def read(
        self, topic: Topic, partition: int, since: int, end: int, start: int = 0
    ) -> AsyncIterator[Sequence[Message]]:
        if self._reads is not None:
            await self._reads.wait()
        async for messages in self._log.read(topic, partition, since, end, start):
            self.read_through += len(messages)
            yield messages

    async def end(self, topic: Topic, partition: int) -> int:
        return await self._log.end(topic, partition)

    async def subscribe(self, topic: Topic, group: str | None, release: float = RELEASE) -> Subscription:
        if self.unsubscribable and topic.name.startswith(self.unsubscribable):
            raise StorageUnavailable("told to refuse")
        subscription = await self._log.subscribe(topic, group, release)
        self.subscribed.append(subscription)
        return _FaultySubscription(self, subscription)

    async def close(self) -> None:
        await self._log.close()


class _FaultySubscription:
    """A subscription that can't be read while its log is told to be unreadable."""

    def __init__(self, log: FaultyLog, subscription: Subscription) -> None:
        self._log = log
        self._subscription = subscription
        self.pause = subscription.pause
        self.release = subscription.release
        self.close = subscription.close

    def commit(self, partition: int, position: int) -> asyncio.Future[None]:
        if self._log.uncommitted:
            self._log.uncommitted -= 1
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            future.set_exception(StorageUnavailable("told to refuse"))
            return future
        return self._subscription.commit(partition, position)

    async def receive(self) -> Event:
        if self._log.unreadable:
            self._log.unreadable -= 1
            raise StorageUnavailable("told to be unreadable")
        return await self._subscription.receive()

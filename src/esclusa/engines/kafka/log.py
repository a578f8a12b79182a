"""The log on Kafka."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import TypeVar

from esclusa.engines.kafka.admin import EARLIEST, LATEST, NONE, Admin
from esclusa.engines.kafka.client import Config, Voice, common, reading
from esclusa.engines.kafka.fetcher import Fetcher
from esclusa.engines.kafka.inbox import Inbox
from esclusa.engines.kafka.membership import Listener, Membership
from esclusa.engines.kafka.producer import Appender
from esclusa.engines.kafka.reader import BEHIND, stretch
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.engines.kafka.subscription import BroadcastListener, GroupMember
from esclusa.engines.kafka.topics import group_prefix
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed, StorageUnavailable
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.message import Message
from esclusa.ports.log import RELEASE, Subscription, Topic, partition_of

C = TypeVar("C")
BEYOND = 30.0
"""Seconds beyond a member's time to release after which the brokers take a partition away by themselves."""


class KafkaLog:
    """`esclusa.ports.log.Log` on Kafka's brokers."""

    def __init__(self, settings: KafkaSettings, admin: Admin, clock: Clock, voice: Voice, instrument: Instrument) -> None:
        self._settings = settings
        self._admin = admin
        self._clock = clock
        self._voice = voice
        self._instrument = instrument
        self.appender = Appender(common(settings), settings.compression, voice, instrument)
        self._subscriptions: list[GroupMember | BroadcastListener] = []
        self._paced: dict[str, bool] = {}
        self._closed = False

    def name(self, topic: Topic) -> str:
        """Of a topic, at the brokers."""
        return f"{self._settings.prefix}{topic.name}"

    def group(self, topic: Topic, group: str) -> str:
        """Of a group, at the brokers: there a group is of no topic, and one of the same name on another would disturb it."""
        return f"{group_prefix(self.name(topic))}{group}"

    def append(self, topic: Topic, key: bytes, value: bytes) -> Future[int]:
        """Append; the offset, once all replicas in sync have it."""
        number = partition_of(key, topic.partitions)
        return self.appender.append(self.name(topic), number, key, value, self._clock.millis())

    async def read(
        self, topic: Topic, partition: int, since: int, end: int, start: int = 0
    ) -> AsyncIterator[Sequence[Message]]:
        """What stands from `start` on and from the first message made at or after `since` on, below `end`, by batches.

        A leader that was stopped, and deposed meanwhile, has not heard of the last messages. So one that finds none made
        since is believed only if the last one below `end` was made before, and what is read has to reach `end`.
        """
        self.check()
        name = self.name(topic)
        found = (await self._admin.offsets_since(name, [partition], since))[partition]
        self.check()
        first = max(end - 1 if found == NONE else found, start)
        if first >= end:
            return
        async for batch in stretch(reading(self._settings), self._voice, name, partition, first, end):
            if found == NONE and batch[-1].made >= since:
                raise StorageUnavailable(BEHIND)
            yield batch
            self.check()

    async def end(self, topic: Topic, partition: int) -> int:
        """The position after the last message that all replicas in sync have.

        Who was the leader, and has not heard yet that another one is, tells where it was.
        """
        self.check()
        return (await self._admin.offsets(self.name(topic), [partition], LATEST))[partition]

    async def subscribe(self, topic: Topic, group: str | None, release: float = RELEASE) -> Subscription:
        """Join `group`, or listen to a broadcast topic; `ValueError` for a group of a broadcast topic and for none."""
        self.check()
        if topic.broadcast != (group is None):
            raise ValueError(f"topic {topic.name!r}: a broadcast topic is listened to without a group, any other with one")
        name = self.name(topic)
        ends = await self._admin.offsets(name, range(topic.partitions), EARLIEST if group else LATEST)
        member = None if group is None else await self._member(self.group(topic, group), release)
        self.check()
        subscription: GroupMember | BroadcastListener
        if member is None:
            subscription = BroadcastListener(self._clock, ends, lambda inbox: self._fetcher(name, inbox))
        else:
            subscription = GroupMember(
                name,
                self._admin,
                self._clock,
                release,
                lambda inbox: self._fetcher(name, inbox),
                partial(self._membership, name, member),
            )
        self._subscriptions = [other for other in self._subscriptions if not other.closed]
        self._subscriptions.append(subscription)
        return subscription

    def _fetcher(self, topic: str, inbox: Inbox[C]) -> Fetcher[C]:
        return Fetcher(reading(self._settings), self._voice, topic, inbox.came)

    def _membership(self, topic: str, config: Config, listener: Listener) -> Membership:
        return Membership(config, self._voice, topic, listener)

    async def _member(self, group: str, release: float) -> Config:
        """The configuration of a member of `group`. By KIP-848, if the brokers let a group say when its members are dead."""
        settings = self._settings
        if group not in self._paced:
            self._paced[group] = await self._admin.pace(group, settings.heartbeat, settings.session)
        config = reading(settings) | {"group.id": group, "max.poll.interval.ms": int((release + BEYOND) * 1000)}
        config |= {"queued.min.messages": 1}  # nothing is fetched by it
        if self._paced[group]:
            return config | {"group.protocol": "consumer"}
        return config | {
            "group.protocol": "classic",
            "partition.assignment.strategy": "cooperative-sticky",
            "heartbeat.interval.ms": int(settings.heartbeat * 1000),
            "session.timeout.ms": int(settings.session * 1000),
        }

    def check(self) -> None:
        """`Closed` when it is."""
        if self._closed:
            raise Closed("the log is closed")

    async def close(self) -> None:
        """Finish the appends at hand, close the subscriptions, let go."""
        self._closed = True
        closing = [subscription.close() for subscription in self._subscriptions]
        self._subscriptions.clear()
        await asyncio.gather(self.appender.close(), *closing)

    def kill(self) -> None:
        """Die: as close, with nothing finished."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.kill()
        self._subscriptions.clear()
        self.appender.kill()

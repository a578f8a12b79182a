"""Administration of topics on Kafka's brokers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from confluent_kafka.cimpl import NewTopic

from esclusa.engines.kafka.admin import EARLIEST, LATEST, Admin
from esclusa.engines.kafka.client import FORBIDDEN, PATIENCE, code
from esclusa.engines.kafka.log import KafkaLog
from esclusa.engines.kafka.topics import configuration, replicas_of
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageError, StorageUnavailable
from esclusa.ports.log import Topic
from esclusa.ports.upkeep import Lag, Made, Swept

LOOK = 0.05
"""Seconds between two looks at a topic that is being made."""
AT_ONCE = 16
"""Groups whose positions are asked for at a time."""


class KafkaUpkeep:
    """`esclusa.ports.upkeep.Upkeep` on Kafka's brokers."""

    def __init__(self, log: KafkaLog, admin: Admin, clock: Clock, replication: int | None) -> None:
        self._log = log
        self._admin = admin
        self._clock = clock
        self._replication = replication
        self._topics: dict[str, Topic] = {}
        """Those set up, by their names at the brokers: a sweep is of them."""

    async def setup(self, topics: Sequence[Topic]) -> list[Made]:
        """Make what is absent; `StorageError` for partitions that can't be added or taken away, and for what may not be made."""
        self._log.check()
        if not topics:
            return []
        there = await self._admin.topics()
        wanted = {self._log.name(topic): topic for topic in topics}
        grown = {}
        for name, topic in wanted.items():
            count = there.get(name, topic.partitions)
            if topic.partitions < count:
                raise StorageError(
                    f"topic {name!r} has {count} partitions, and none can be taken away: set `[pools.NAME] partitions` to {count}"
                )
            if topic.partitions > count:
                await self._refuse_if_used(name, count)
                grown[name] = topic.partitions
        absent = [name for name in wanted if name not in there]
        try:
            await self._create({name: wanted[name] for name in absent})
            await self._admin.grow(grown)
        except StorageUnavailable as error:
            if error.__cause__ is not None and code(error.__cause__) in FORBIDDEN:
                raise StorageError(_forbidden([*absent, *grown])) from error
            raise
        if absent or grown:
            await self._appear({name: wanted[name].partitions for name in [*absent, *grown]})
        self._topics |= {name: topic for name, topic in wanted.items() if not topic.broadcast}
        return [Made(f"topic {name}", new=name in absent or name in grown) for name in wanted]

    async def _create(self, topics: dict[str, Topic]) -> None:
        if topics:
            replicas = replicas_of(len((await self._admin.metadata()).brokers), self._replication)
            await self._admin.create(new_topic(name, topic, replicas) for name, topic in topics.items())

    async def _refuse_if_used(self, name: str, count: int) -> None:
        starts = await self._admin.offsets(name, range(count), EARLIEST)
        ends = await self._admin.offsets(name, range(count), LATEST)
        if starts != ends:
            raise StorageError(
                f"topic {name!r} holds messages: no partition can be added, or keys would change theirs; set"
                f" `[pools.NAME] partitions` to {count}, at least until what it holds has been deleted"
            )

    async def _appear(self, wanted: dict[str, int]) -> None:
        """Wait until the brokers serve all partitions, and the producer knows of them."""
        try:
            async with asyncio.timeout(2 * PATIENCE):
                for name, count in wanted.items():
                    while not await self._serves(name, count):
                        await self._clock.sleep(LOOK)
        except TimeoutError:
            raise StorageUnavailable("kafka: topics that were made don't appear") from None
        for name in wanted:
            await self._log.appender.refresh(name)

    async def _serves(self, name: str, count: int) -> bool:
        if (await self._admin.topics()).get(name) != count:
            return False
        with suppress(StorageUnavailable):  # a leader that has not taken up its work yet
            await self._admin.offsets(name, range(count), LATEST)
            return True
        return False

    async def check(self) -> None:
        """Ask the brokers what there is, and where what was set up ends; `StorageUnavailable` when that fails."""
        self._log.check()
        if not (await self._admin.metadata()).brokers:
            raise StorageUnavailable("kafka: no broker is there")
        for name, topic in self._topics.items():
            await self._admin.offsets(name, range(topic.partitions), LATEST)

    async def lag(self, topics: Sequence[Topic]) -> list[Lag]:
        """Every group of `topics`, partition by partition; topics side by side, of each a few groups at a time."""
        self._log.check()
        groups = sorted(await self._admin.groups())
        found = await asyncio.gather(*[self._lag(topic, groups) for topic in topics])
        return [lag for its in found for lag in its]

    async def _lag(self, topic: Topic, groups: Sequence[str]) -> list[Lag]:
        numbers = range(topic.partitions)
        name, before = self._log.name(topic), self._log.group(topic, "")
        own = [group for group in groups if group.startswith(before)]
        if not own:
            return []
        starts = await self._admin.offsets(name, numbers, EARLIEST)
        ends = await self._admin.offsets(name, numbers, LATEST)
        found = []
        for some in (own[place : place + AT_ONCE] for place in range(0, len(own), AT_ONCE)):
            committed = await asyncio.gather(*[self._admin.committed(group, name, numbers) for group in some])
            found += [
                Lag(topic.name, group.removeprefix(before), number, max(its.get(number, 0), starts[number]), end)
                for group, its in zip(some, committed, strict=True)
                for number, end in sorted(ends.items())
            ]
        return found

    async def sweep(self, before: int) -> Swept:
        """Delete messages that are no longer kept; the brokers' retention, which deletes by segments, is for when nobody does.

        All of them at one call: brokers only note where a partition begins now.
        """
        self._log.check()
        deleted, now = 0, min(before, self._clock.millis())
        for name, topic in self._topics.items():
            deleted += await self._expire(name, range(topic.partitions), now - int(topic.keep * 1000))
        return Swept(deleted, 0)

    async def _expire(self, name: str, numbers: range, oldest: int) -> int:
        ends = await self._admin.offsets(name, numbers, LATEST)
        starts = await self._admin.offsets(name, numbers, EARLIEST)
        if starts == ends:
            return 0
        kept = await self._admin.offsets_since(name, numbers, oldest)
        below = {number: ends[number] if kept[number] < 0 else kept[number] for number in numbers}
        gone = {number: offset for number, offset in below.items() if offset > starts[number]}
        await self._admin.delete(name, gone)
        return sum(offset - starts[number] for number, offset in gone.items())


def new_topic(name: str, topic: Topic, replicas: int) -> NewTopic:
    """A topic as it is to be made, with so many copies of each partition."""
    return NewTopic(name, topic.partitions, replicas, config=dict(configuration(topic, replicas)))


def _forbidden(names: Sequence[str]) -> str:
    return (
        f"kafka: not there as they have to be, and this program's user may not make them: {', '.join(names)}. Have somebody"
        ' who may make topics run what "esclusa setup --print" says'
    )

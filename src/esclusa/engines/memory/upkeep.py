"""Administration of a memory."""

from __future__ import annotations

from collections.abc import Sequence

from esclusa.engines.inprocess import upkeep
from esclusa.engines.inprocess.partition import Partition
from esclusa.engines.inprocess.records import InProcessRecords
from esclusa.engines.memory.world import World
from esclusa.kernel.clock import Clock
from esclusa.ports.log import Topic
from esclusa.ports.upkeep import Lag, Made, Swept

MOST = 1000
"""Keys, and messages of each partition, that one sweep deletes."""


class MemoryUpkeep:
    """`esclusa.ports.upkeep.Upkeep` over a memory."""

    def __init__(self, world: World, records: InProcessRecords, clock: Clock) -> None:
        self._world = world
        self._records = records
        self._clock = clock

    async def setup(self, topics: Sequence[Topic]) -> list[Made]:
        """Make what is absent; `StorageError` for partitions that can't be added or taken away."""
        known = self._world.topics
        made = upkeep.made(known, topics)
        missing = {topic: known.missing(topic) for topic in topics if not topic.broadcast}
        for topic, count in missing.items():
            added = range(topic.partitions - count, topic.partitions)
            known.declare(topic, [Partition(number, number) for number in added])
        for topic in topics:
            if topic.broadcast:
                known.announce(topic)
        return made

    async def check(self) -> None:
        """Write a row and read it."""
        await upkeep.check(self._records, self._clock)

    async def lag(self, topics: Sequence[Topic]) -> list[Lag]:
        """Every group of `topics`, partition by partition."""
        return upkeep.lag(self._world.topics, topics)

    async def sweep(self, before: int) -> Swept:
        """Delete what expired before `before`: `MOST` keys, and as many messages of each partition."""
        world, limit = self._world, min(before, self._clock.millis())
        deleted = world.expire(limit, MOST)
        left = world.expired(limit)
        for topic in world.topics:
            oldest = limit - topic.declared.keep * 1000
            for partition in topic.partitions:
                old = next(
                    (place for place, message in enumerate(partition.tail) if message.made >= oldest), len(partition.tail)
                )
                gone = min(old, MOST)
                world.bytes -= partition.drop(partition.start + gone)
                deleted += gone
                left += old - gone
        return Swept(deleted, left)

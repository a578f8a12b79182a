"""What administration of all engines that live in one process has in common."""

from __future__ import annotations

from collections.abc import Sequence

from esclusa.engines.inprocess.records import InProcessRecords
from esclusa.engines.inprocess.topics import Topics
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable
from esclusa.ports.log import Topic
from esclusa.ports.records import Row
from esclusa.ports.upkeep import Lag, Made

CHECKED = b"esclusa.check"
"""The key of the row that `check` writes."""


async def check(records: InProcessRecords, clock: Clock) -> None:
    """Write a row and read it; `StorageUnavailable` with the reason in words when that fails."""
    now = clock.millis()
    row = Row("check", b"", b"", now + 60_000, rank=-now)  # the later one wins, so that something is written every time
    await records.put(CHECKED, [row])
    if not await records.read(CHECKED):
        raise StorageUnavailable("a row that was written can't be read")


def made(stored: Topics, topics: Sequence[Topic]) -> list[Made]:
    """What there has to be for `topics`, and whether it has yet to be made. Broadcast topics are kept nowhere."""

    def lacks(topic: Topic) -> bool:
        kept = stored.find(topic.name)
        return kept is None or len(kept.partitions) < topic.partitions

    return [Made(f"topic {topic.name}", new=lacks(topic)) for topic in topics if not topic.broadcast]


def lag(stored: Topics, topics: Sequence[Topic]) -> list[Lag]:
    """Every group of `topics`, partition by partition."""
    return [
        Lag(topic.name, group.name, partition.number, group.committed(partition.number), partition.end)
        for topic in topics
        if (kept := stored.find(topic.name)) is not None
        for group in kept.groups.values()
        for partition in kept.partitions
    ]

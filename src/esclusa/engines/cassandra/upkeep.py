"""Administration of the keyspace."""

from __future__ import annotations

from collections.abc import Sequence

from esclusa.engines.cassandra.records import CassandraRecords
from esclusa.engines.cassandra.schema import Schema
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable
from esclusa.ports.log import Topic
from esclusa.ports.records import Row
from esclusa.ports.upkeep import Lag, Made, Swept

CHECKED = b"esclusa.check"
"""The key of the rows that `check` writes."""
LIVES_MS = 60_000
"""Milliseconds that such a row lives."""


class CassandraUpkeep:
    """`esclusa.ports.upkeep.Upkeep` of a keyspace. It has no topics, and what has expired goes by itself."""

    def __init__(self, schema: Schema, records: CassandraRecords, clock: Clock) -> None:
        self._schema = schema
        self._records = records
        self._clock = clock

    async def setup(self, topics: Sequence[Topic]) -> list[Made]:  # noqa: ARG002 - the port's
        """Make what is absent of keyspaces and tables; topics are another engine's."""
        await self._schema.climb()
        return self._schema.made()

    async def check(self) -> None:
        """Write a row and read it."""
        now = self._clock.millis()
        row = Row("check", b"", b"", now + LIVES_MS, rank=-now)  # the later one wins, so that something is written every time
        await self._records.put(CHECKED, [row])
        if not await self._records.read(CHECKED, bodies=False):
            raise StorageUnavailable("a row that was written can't be read")

    async def lag(self, topics: Sequence[Topic]) -> list[Lag]:  # noqa: ARG002 - the port's
        """Nothing: there are no groups."""
        return []

    async def sweep(self, before: int) -> Swept:  # noqa: ARG002 - the port's
        """Nothing: rows and tombstones have a time to live."""
        return Swept(0, 0)

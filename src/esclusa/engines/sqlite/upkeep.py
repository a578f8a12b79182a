"""Administration of the folder."""

from __future__ import annotations

from collections.abc import Sequence

from esclusa.engines.inprocess import upkeep
from esclusa.engines.inprocess.records import InProcessRecords
from esclusa.engines.sqlite.messages import Messages
from esclusa.engines.sqlite.rows import Rows
from esclusa.engines.sqlite.storage import Storage
from esclusa.kernel.clock import Clock
from esclusa.ports.log import Topic
from esclusa.ports.upkeep import Lag, Made, Swept

STEP = 256
"""Rows that one transaction deletes."""
STEP_BYTES = 1 << 20
"""Bytes of rows after which it is over."""
MOST = 8192
"""Rows that one sweep deletes."""


class SqliteUpkeep:
    """`esclusa.ports.upkeep.Upkeep` of one process and its folder."""

    def __init__(self, storage: Storage, messages: Messages, rows: Rows, records: InProcessRecords, clock: Clock) -> None:
        self._storage = storage
        self._messages = messages
        self._rows = rows
        self._records = records
        self._clock = clock

    async def setup(self, topics: Sequence[Topic]) -> list[Made]:
        """Make what is absent; `StorageError` for partitions that can't be added or taken away."""
        self._storage.ready()
        made = upkeep.made(self._messages.topics, topics)
        self._messages.set_up(topics)
        return made

    async def check(self) -> None:
        """Write a row and read it."""
        await upkeep.check(self._records, self._clock)

    async def lag(self, topics: Sequence[Topic]) -> list[Lag]:
        """Every group of `topics`, partition by partition."""
        return upkeep.lag(self._messages.topics, topics)

    async def sweep(self, before: int) -> Swept:
        """Delete what expired before `before`, `MOST` rows and messages a call, in steps between which others go on."""
        self._storage.ready()
        limit = min(before, self._clock.millis())
        deleted = await self._sweep_messages(limit)
        while deleted < MOST and (gone := self._rows.sweep(limit, STEP, STEP_BYTES)):
            deleted += gone
            await self._clock.sleep(0)
        left = sum(below - partition.start for partition, below in self._messages.expired(limit))
        return Swept(deleted, left + self._rows.expired(limit, MOST))

    async def _sweep_messages(self, limit: int) -> int:
        deleted = 0
        for partition, below in self._messages.expired(limit):
            while deleted < MOST // 2 and (gone := self._messages.delete(partition, below, STEP)):
                deleted += gone
                await self._clock.sleep(0)
        return deleted

"""The engine: records and keys on one cluster, for one process of many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack

from esclusa.engines.cassandra.installation import CassandraInstallation
from esclusa.engines.cassandra.keys import CassandraKeys
from esclusa.engines.cassandra.records import CassandraRecords
from esclusa.engines.cassandra.schema import Schema
from esclusa.engines.cassandra.session import Session
from esclusa.engines.cassandra.settings import CassandraSettings
from esclusa.engines.cassandra.upkeep import CassandraUpkeep
from esclusa.kernel.clock import Clock
from esclusa.kernel.instrument import Instrument


class CassandraEngine:
    """The ports `records`, `keys`, `upkeep` and `installation` over a keyspace; a `Part`, usable once started.

    `start` makes the keyspace where it is missing. It raises `StorageUnavailable` where no node answers, `StorageTooNew`
    where a newer version wrote the keyspace, and `StorageError` for settings that can't be kept.
    """

    def __init__(self, settings: CassandraSettings, clock: Clock, instrument: Instrument, *, skew: float) -> None:
        """`skew`: seconds by which the nodes' clocks may differ from this process's."""
        self._session = Session(settings, instrument)
        self._schema = Schema(self._session)
        self._open = AsyncExitStack()
        self.records = CassandraRecords(self._session, clock)
        self.keys = CassandraKeys(self._session, clock)
        self.upkeep = CassandraUpkeep(self._schema, self.records, clock)
        self.installation = CassandraInstallation(settings, clock, skew=skew)
        instrument.gauge("esclusa_storage_waiting_bytes", "Bytes that wait to be written", (), self._waiting)

    def _waiting(self) -> Iterator[tuple[tuple[str, ...], float]]:
        yield (), self._session.bytes

    async def start(self) -> None:
        """Connect, make or check the tables, have the statements prepared."""
        async with AsyncExitStack() as opened:
            await self._session.open()
            opened.push_async_callback(self._session.close)
            await self._schema.climb()
            for port in (self.keys, self.records):
                await port.prepare()
            for port in (self.keys, self.records):  # closed for good, so not before the start can't fail any more
                opened.push_async_callback(port.close)
            self._open = opened.pop_all()

    async def drain(self) -> None:
        """Finish what is at hand."""
        await self._session.settled()

    async def stop(self) -> None:
        """Close every port and leave the cluster."""
        await self._open.aclose()

    def kill(self) -> None:
        """Die at once, as by `kill -9`: what was asked for may land or not. For tests."""
        self.records.kill()
        self.keys.kill()
        self._session.kill()
        self._open = AsyncExitStack()

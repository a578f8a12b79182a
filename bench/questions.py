"""The hub as it ships, whole and durable, logging at INFO; and somebody who asks it and waits for the end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Literal
from uuid import UUID, uuid4

import msgspec
from msgspec.structs import replace

from esclusa.bootstrap import ROLES, Ports, Role, Runtime, freeze_memory, make_connectors, make_hub, make_setup, open_ports
from esclusa.config.settings import Configuration, EsclusaSettings
from esclusa.connectors.connector import Connector
from esclusa.connectors.rest import RestSettings
from esclusa.engines.cassandra.settings import CassandraSettings
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.hub.hub import Hub
from esclusa.hub.settings import HubSettings, PoolSettings, QuerySettings
from esclusa.hub.snapshot import Snapshot
from esclusa.hub.submission import Submission
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument, Level
from esclusa.kernel.lifecycle import Lifecycle
from esclusa.kernel.signal import Signals
from esclusa.observability.logs import Logs

ME = "client:bench"
QUERY = "expedientes"
LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"

MakeConnectors = Callable[[Configuration, Runtime], Mapping[str, Connector]]


class Storage(msgspec.Struct, frozen=True):
    """What a hub stands on."""

    engine: str = "embedded"
    """For whatever the servers below are not given."""
    kafka: Sequence[str] = ()
    """`host:port` of brokers, for the log."""
    cassandra: Sequence[str] = ()
    """`host:port` of nodes, for records and keys."""
    consumers: Literal["pool", "connector"] = "pool"


EMBEDDED, MEMORY = Storage(), Storage("memory")
ELSEWHERE: Sequence[Role] = ("hub", "collector", "purge")
"""What a process does whose connectors run in others, whose role is `CONNECTORS_ALONE`."""
CONNECTORS_ALONE: Sequence[Role] = ("connectors",)


def url(address: str, number: int, delay: int = 0) -> str:
    """Of connector `number` on the back end at `address`, which answers after `delay` milliseconds."""
    return f"{address}/body{number}/{delay}"


def configured(
    urls: Sequence[str],
    concurrency: Sequence[int],
    *,
    storage: Storage = EMBEDDED,
    query: QuerySettings | None = None,
    timeout: float = 50,
) -> Configuration:
    """A hub that asks all `urls`; as shipped, but for how many calls of each may be in the air, and for how long.

    On Kafka its topics and groups are new ones.
    """
    engines = EsclusaSettings(
        engine=storage.engine,
        log="kafka" if storage.kafka else None,
        records="cassandra" if storage.cassandra else None,
    )
    return Configuration(
        esclusa=engines,
        kafka=KafkaSettings(servers=list(storage.kafka), prefix=f"{uuid4().hex[:8]}.") if storage.kafka else None,
        cassandra=CassandraSettings(hosts=list(storage.cassandra), replication=1) if storage.cassandra else None,
        connectors={
            f"body{number}": RestSettings(url=each, concurrency=most, timeout=Duration(timeout))
            for number, (each, most) in enumerate(zip(urls, concurrency, strict=True))
        },
        queries={QUERY: query or QuerySettings()},
        pools={"default": PoolSettings(consumers=storage.consumers)},
        hub=HubSettings(drain=Duration(1)),
    )


@asynccontextmanager
async def runtime(level: Level = Level.INFO) -> AsyncIterator[Runtime]:
    """What parts are given in production: its lines go to a file, as JSON."""
    clock = Clock()
    with TemporaryFile(prefix="esclusa-bench-") as file:
        logs = Logs(clock, "json", descriptor=file.fileno())
        await logs.start()
        yield Runtime(clock, Ids(clock), Instrument(logs, level), Signals())
        await logs.stop()


@asynccontextmanager
async def running(
    settings: Configuration,
    runtime: Runtime,
    connectors: MakeConnectors = make_connectors,
    *,
    roles: Collection[Role] = ROLES,
    watch: Callable[[Ports], Ports] = lambda ports: ports,
) -> AsyncIterator[Hub]:
    """The hub over `settings`, its data in a temporary folder, for as long as this lasts."""
    with TemporaryDirectory(prefix="esclusa-bench-") as folder:
        there = replace(settings, esclusa=replace(settings.esclusa, data=os.fspath(Path(folder, "data"))))
        ports = open_ports(there, runtime)
        process = make_hub(there, watch(ports), connectors(there, runtime), runtime, roles=roles)
        async with Lifecycle([*ports.engines, make_setup(there, ports), *process.parts]):
            freeze_memory()
            yield process.hub


def people() -> Iterator[str]:
    """Valid NIFs, each another person's: one subject may have few open requests."""
    for number in count(10_000_000):
        yield f"{number}{LETTERS[number % 23]}"


class Asker:
    """Asks the hub, waits until the result is final, and reads it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._people = people()

    async def __call__(self) -> Snapshot:
        """The final result, as `read`."""
        id = await self.submit()
        await self._wait(id)
        return await self.read(id)

    async def later(self, seconds: float) -> Snapshot:
        """The same, with nobody waiting for the first `seconds`."""
        id = await self.submit()
        await asyncio.sleep(seconds)
        await self._wait(id)
        return await self.read(id)

    async def until(self, connectors: Collection[str]) -> None:
        """Ask, and wait until all `connectors` have answered, whatever the others do; an assertion if one of them did not."""
        id = await self.submit()
        tag, answered = None, 0
        while answered < len(connectors):
            heads = await self._hub.wait(id, ME, seconds=30, tag=tag, data=False)
            found = [answer for answer in heads.answers if answer.connector in connectors]
            assert heads.query_more or len(found) == len(connectors), heads
            assert all(answer.reason is None for answer in found), heads
            tag, answered = heads.tag, len(found)

    async def submit(self) -> UUID:
        """A new request, of a person who has none."""
        receipt = await self._hub.submit(Submission(caller=ME, query=QUERY, subject=next(self._people)))
        return receipt.id

    async def _wait(self, id: UUID) -> None:
        tag = None
        while (heads := await self._hub.wait(id, ME, seconds=30, tag=tag, data=False)).query_more:
            tag = heads.tag

    async def read(self, id: UUID) -> Snapshot:
        """A final result with all its data; an assertion if it is not complete."""
        snapshot = await self._hub.results(id, ME)
        assert snapshot.complete, snapshot
        return snapshot

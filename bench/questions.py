"""The hub as it ships, embedded, whole and durable, logging at INFO; and somebody who asks it and waits for the end."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from esclusa.bootstrap import Lifecycle, Setup, World, make_connectors, make_hub, open_ports, settle_memory
from esclusa.config.settings import Configuration, EsclusaSettings
from esclusa.connectors.connector import Connector
from esclusa.connectors.settings import ConnectorSettings
from esclusa.hub.hub import Hub
from esclusa.hub.settings import HubSettings, PoolSettings, QuerySettings
from esclusa.hub.snapshot import Snapshot
from esclusa.hub.submission import Submission
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument, Level
from esclusa.kernel.signal import Signals
from esclusa.observability.logs import Logs

ME = "client:bench"
QUERY = "expedientes"
LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"

MakeConnectors = Callable[[Configuration, World], Mapping[str, Connector]]


def url(address: str, number: int, delay: int = 0) -> str:
    """Of connector `number` on the back end at `address`, which answers after `delay` milliseconds."""
    return f"{address}/body{number}/{delay}"


def configured(urls: Sequence[str], *, concurrency: int, engine: str = "embedded") -> Configuration:
    """A hub that asks all `urls`, in the shipped settings but for the calls that it may have in the air at a time."""
    return Configuration(
        esclusa=EsclusaSettings(engine=engine),
        connectors={
            f"body{number}": ConnectorSettings(url=each, concurrency=concurrency, timeout=Duration(50))
            for number, each in enumerate(urls)
        },
        queries={QUERY: QuerySettings()},
        pools={"default": PoolSettings()},
        hub=HubSettings(drain=Duration(1)),
    )


@asynccontextmanager
async def running(
    settings: Configuration, *, level: Level = Level.INFO, connectors: MakeConnectors = make_connectors
) -> AsyncIterator[Hub]:
    """The hub over `settings`, its data and its log in a temporary folder, for as long as this lasts."""
    with TemporaryDirectory(prefix="esclusa-bench-") as folder, Path(folder, "log").open("wb") as log:
        there = EsclusaSettings(engine=settings.esclusa.engine, data=os.fspath(Path(folder, "data")))
        settings = Configuration(
            esclusa=there,
            connectors=settings.connectors,
            queries=settings.queries,
            pools=settings.pools,
            hub=settings.hub,
        )
        clock = Clock()
        logs = Logs(clock, "json", descriptor=log.fileno())
        world = World(clock, Ids(clock), Instrument(logs, level), Signals())
        ports = open_ports(settings, world)
        process = make_hub(settings, ports, connectors(settings, world), world)
        async with Lifecycle([logs, *ports.engines, Setup(settings, ports), *process.parts, process.waits]):
            settle_memory()
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
        """The final result with all its data; an assertion if it is not complete."""
        hub = self._hub
        receipt = await hub.submit(Submission(caller=ME, query=QUERY, subject=next(self._people)))
        tag = None
        while True:
            heads = await hub.wait(receipt.id, ME, seconds=30, tag=tag, data=False)
            if not heads.query_more:
                break
            tag = heads.tag
        snapshot = await hub.results(receipt.id, ME)
        assert snapshot.complete, snapshot
        return snapshot

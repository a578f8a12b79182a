"""Several processes of the program on real Kafka and Cassandra, and the bodies outside that they ask."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from dev.cassandra import Cassandra
from dev.kafka import Kafka

from esclusa.engines.kafka.kafka import KafkaEngine
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.instrument import Instrument
from support.country import Country
from support.program import Program

NUMBERS = itertools.count()


class Engines:
    """A broker and a node, or several, for as many installations as there are."""

    def __init__(self, folder: Path, *, nodes: int = 1, brokers: int = 1) -> None:
        """`nodes`: of Cassandra; each has a replica of everything. `brokers`: of Kafka."""
        self.folder = folder
        self.kafka = Kafka(folder, nodes=brokers)
        self.cassandra = Cassandra(folder, nodes=nodes)

    async def start(self) -> None:
        """Both serve."""
        await asyncio.gather(self.kafka.start(), self.cassandra.start())

    async def stop(self) -> None:
        """Both end, without taking the time to tidy up."""
        await asyncio.gather(*(node.kill() for node in (*self.kafka.nodes, *self.cassandra.nodes)))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


class InstalledPrograms:
    """Processes that share their topics and tables with each other and with nobody else."""

    def __init__(self, engines: Engines, folder: Path, country: Country, *, query: str, more: str) -> None:
        """`query`, `more`: of the configuration, as `Program` takes them."""
        self.folder = folder
        self.country = country
        self.query = query
        self.connectors = country.connectors()
        self.more = more
        self.name = f"installation{next(NUMBERS)}"
        self._engines = engines
        self._programs: list[Program] = []

    def program(self, name: str, *roles: str, pools: Sequence[str] = (), connectors: str | None = None) -> Program:
        """One process, not started. `connectors`: where it knows others than the installation's."""
        folder = self.folder / name
        folder.mkdir()
        kafka, cassandra = self._engines.kafka.addresses, self._engines.cassandra.addresses
        made = Program(
            folder,
            self.connectors if connectors is None else connectors,
            query=self.query,
            more=self.more,
            engines=(
                f'log = "kafka"\nrecords = "cassandra"\n'
                f'[kafka]\nservers = {json.dumps(kafka)}\nprefix = "{self.name}."\n'
                f'[cassandra]\nhosts = {json.dumps(cassandra)}\nkeyspace = "{self.name}"\nreplication = {len(cassandra)}'
            ),
            roles=roles,
            pools=pools,
        )
        self._programs.append(made)
        return made

    async def start(self, *programs: Program) -> None:
        """The first makes topics and tables, then the others start together."""
        await programs[0].start()
        await asyncio.gather(*(each.start() for each in programs[1:]))

    async def kill(self) -> None:
        """Nobody is left."""
        await asyncio.gather(*(each.kill() for each in self._programs))

    @asynccontextmanager
    async def log(self) -> AsyncIterator[KafkaEngine]:
        """Its topics, for who looks at them or puts something in that no process of ours would."""
        settings = KafkaSettings(servers=self._engines.kafka.addresses, prefix=f"{self.name}.")
        engine = KafkaEngine(settings, Clock(), Instrument())
        await engine.start()
        try:
            yield engine
        finally:
            await engine.stop()


@asynccontextmanager
async def installed(
    engines: Engines, folder: Path, country: Country, *, query: str = 'ttl = "20s"', more: str = ""
) -> AsyncIterator[InstalledPrograms]:
    """A new one, whose processes end with the context; the bodies listen meanwhile."""
    async with country.open():
        made = InstalledPrograms(engines, folder, country, query=query, more=more)
        try:
            yield made
        finally:
            await made.kill()

"""The cluster that the demo asks: which processes there are, how each is told what it is, and how they are started."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec

from dev.cassandra import Cassandra
from dev.cluster import Cluster, free_ports
from dev.demo.deeds import Deeds
from dev.demo.steps import Steps
from dev.demo.supervisor import Supervised
from dev.health import says_ok
from dev.jars import Missing, java
from dev.kafka import Kafka
from dev.nginx import before_hubs, nginx
from dev.nginx import program as nginx_program
from dev.node import Node
from esclusa.config.config import load
from esclusa.demo.country_process import country_process
from esclusa.demo.demo import ANYWHERE, CONFIGURATION, LISTEN, QUERY, environment
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids

TTL = "30s"
"""How long the citizen waits: long enough for whoever kills something to see it made up for."""
MEMORY = 2.0
"""GiB that everything together takes."""
_AVAILABLE = "MemAvailable:"


class Kind(msgspec.Struct, frozen=True):
    """Processes of `esclusa run` that are all the same."""

    name: str
    count: int
    role: str
    """As the screen has it."""
    options: Sequence[str]
    does: str
    """What its deeds are called."""

    def names(self) -> list[str]:
        """Of its processes."""
        return [f"{self.name}-{number}" for number in range(1, self.count + 1)]


HUB = Kind("hub", 2, "hub, purge", ("--role", "hub", "--role", "purge"), "accepted")
KINDS = (
    Kind("connectors", 2, "pool default", ("--role", "connectors", "--pool", "default"), "calls"),
    Kind("slow", 1, "pool slow", ("--role", "connectors", "--pool", "slow"), "calls"),
    Kind("collector", 2, "collector", ("--role", "collector"), "recorded"),
    HUB,
)
"""In the order of starting: connectors before hubs."""


class DemoCluster(msgspec.Struct, frozen=True):
    """The cluster while it runs: its processes, what they have done so far, and how to ask it."""

    servers: Sequence[Supervised]
    deeds: Deeds
    url: str
    """Of the API, through nginx."""
    key: str
    """Of a client that may ask for anyone."""
    title: str
    """Of the query that the citizen's question is of."""


@asynccontextmanager
async def demo_cluster(folder: Path, steps: Steps, tell: Callable[[str], None]) -> AsyncIterator[DemoCluster]:
    """The country, and everything that is needed to ask it, for as long as the context lasts.

    Whatever ends meanwhile is started again. Its files are in `folder`; `tell` is told what happens.

    Raises `NotReady`, `ConfigurationError`, `ChildProcessError` when something of it can't start, `Missing` for JARs.
    """
    clock = Clock()
    key = Ids(clock).secret(16).hex()
    kafka, cassandra = Kafka(folder / "kafka"), Cassandra(folder / "cassandra")
    async with country_process(clock) as ports, _started(steps, kafka, cassandra):
        shared = {
            "DEMO_LOG": "kafka",
            "DEMO_RECORDS": "cassandra",
            "DEMO_KAFKA": kafka.addresses[0],
            "DEMO_CASSANDRA": cassandra.addresses[0],
            "DEMO_TTL": TTL,
            "DEMO_LOG_LEVEL": "debug",  # at which a collector says what it has recorded: a line a write costs too much in earnest
        }
        told = partial(environment, ports, key)
        configuration = load(CONFIGURATION, told(folder, ANYWHERE) | shared)
        addresses = _addresses()
        hubs = {name: addresses[name] for name in HUB.names()}
        deeds = Deeds({address: name for name, address in hubs.items()})
        url = f"http://{addresses['nginx']}"

        def process(kind: Kind, name: str) -> Supervised:
            own = told(folder / name, addresses[name]) | shared
            command = [str(Path(sys.executable).with_name("esclusa")), "run", str(CONFIGURATION), *kind.options]
            ready = partial(says_ok, addresses[name], "/health/ready")
            node = Node(name, addresses[name], command, partial(deeds.take, name), ready, os.environ | own)
            return Supervised(node, kind.role, kind.does, tell)

        proxy = before_hubs(addresses["nginx"], hubs)
        front = nginx(_made(folder / "nginx"), proxy, addresses["nginx"], "/health/ready", partial(deeds.take, "nginx"))
        engines = [Supervised(kafka.nodes[0], "log", "", tell), Supervised(cassandra.nodes[0], "records", "", tell)]
        kinds = {kind.name: [process(kind, name) for name in kind.names()] for kind in KINDS}
        before = Supervised(front, "proxy", "passed on", tell)
        processes = [each for group in kinds.values() for each in group]
        async with _ended([*processes, before]):
            first, *others = processes
            await steps.do(first.name, first.start())
            await steps.do(_listed(others), _all(each.start() for each in others))
            await steps.do("nginx", before.start())
            await _all(each.start() for each in engines)
            servers = [*engines, before, *kinds["hub"], *kinds["collector"], *kinds["connectors"], *kinds["slow"]]
            async with _kept(servers):
                yield DemoCluster(servers, deeds, url, key, configuration.queries[QUERY].title)


def demand() -> None:
    """`Missing` names what is needed on this machine and not there."""
    java()
    nginx_program()
    free = _free_memory()
    if free is not None and free < MEMORY:
        raise Missing(f"the demo takes {MEMORY:g} GiB of memory, and {free:.1f} are free: end what takes much")


def _free_memory() -> float | None:
    """GiB, where the system tells."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 2**20 for line in lines if line.startswith(_AVAILABLE)), None)


def _addresses() -> dict[str, str]:
    """Where each process listens, always the same; nginx where `esclusa demo` does, unless somebody else is there."""
    names = [name for kind in KINDS for name in kind.names()]
    addresses = {name: f"127.0.0.1:{port}" for name, port in zip(["nginx", *names], free_ports(len(names) + 1), strict=True)}
    return addresses | ({"nginx": LISTEN} if _free(LISTEN) else {})


def _free(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError:
            return False
    return True


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _listed(servers: Sequence[Supervised]) -> str:
    return ", ".join(each.name for each in servers)


async def _all(starts: Iterable[Coroutine[None, None, None]]) -> None:
    """Do all at once; when one fails the others are left off."""
    tasks = [asyncio.create_task(each) for each in starts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _started(steps: Steps, *clusters: Cluster) -> AsyncIterator[None]:
    """All of them at once; at the end they are killed, for what they hold is thrown away."""
    try:
        await _all(steps.do(type(cluster).__name__, cluster.start()) for cluster in clusters)
        yield
    finally:
        await asyncio.gather(*(node.kill() for cluster in clusters for node in cluster.nodes))


@asynccontextmanager
async def _ended(servers: Sequence[Supervised]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await asyncio.gather(*(each.node.stop() for each in servers))


@asynccontextmanager
async def _kept(servers: Sequence[Supervised]) -> AsyncIterator[None]:
    """Whatever ends is started again; afterwards no more."""
    keeping = [asyncio.create_task(each.keep()) for each in servers]
    try:
        yield
    finally:
        for task in keeping:
            task.cancel()
        for result in await asyncio.gather(*keeping, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

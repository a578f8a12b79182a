"""Nodes of Cassandra, keyspaces on them, and processes on those: to be examined, and to be disturbed."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from typing import Any, ClassVar, Literal, TypeVar

import acsylla
import pytest
import uvloop
from dev.cassandra import Cassandra

from esclusa.engines.cassandra import CassandraSettings
from esclusa.engines.cassandra.cassandra import CassandraEngine
from esclusa.engines.cassandra.session import Session
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.instrument import Instrument
from esclusa.testing.exams import Exam, Features
from support.apart import Apart
from support.poll import until

T = TypeVar("T")

NUMBERS = count(1)
TURNS = 2
TABLES = "{keyspace}.records", "{keyspace}.deaths", "{keyspace}_keys.keys"
SOCKETS = pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning")
"""The driver opens a pair of sockets on every loop that it is used on, and leaves them to the garbage collector."""


How = Literal["killed", "stopped", "hung"]
"""What a node can be: ended by `kill -9`, ended in order, or there and saying nothing."""


class Nodes:
    """A cluster's nodes, each by its number from 0 on, and what can be done to them."""

    def __init__(self, cluster: Cassandra, apart: Apart) -> None:
        """`apart`: where they were started."""
        self.cluster = cluster
        self._apart = apart

    @asynccontextmanager
    async def away(self, *numbers: int, how: How) -> AsyncIterator[None]:
        """They are, and afterwards they serve again."""
        nodes = [self.cluster.nodes[number] for number in numbers]
        try:
            if how == "hung":
                for node in nodes:
                    node.pause()
            else:
                await self._all(node.kill() if how == "killed" else node.stop() for node in nodes)
            yield
        finally:
            for node in nodes:
                node.resume()
            await self._all(node.start() for node in nodes if node.pid is None)
            await self._all(node.ready() for node in nodes)

    async def whole(self, engine: CassandraEngine) -> None:
        """Return once every node takes every other for alive: what all have to answer is answered, whoever is asked."""
        session = engine._session
        statement = session._named("SELECT value FROM {keyspace}.esclusa WHERE name = 'version'")
        ask = await session._connected().create_prepared(statement, consistency=acsylla.Consistency.ALL)

        async def answered() -> None:
            for _ in range(4 * len(self.cluster.nodes)):  # the driver asks one after the other
                await session.execute(ask, (), attempts=1)

        await done(answered)

    async def _all(self, works: Iterable[Coroutine[Any, Any, None]]) -> None:
        await asyncio.gather(*(self._apart.call(work) for work in works))


class JumpingClock(Clock):
    """A clock of which a sleep is a jump: the servers have a time of their own, which nobody moves, and which decides nothing.

    They let go of a row by their time to live, which comes later than the expiry by this clock, never earlier.
    """

    async def sleep(self, seconds: float) -> None:
        """Jump ahead, and give way."""
        self._origin += seconds
        await asyncio.sleep(0)


class Deployed:
    """Processes on one keyspace."""

    features = Features(durable=True, processes=True, expires=True)

    def __init__(self, settings: CassandraSettings) -> None:
        self.settings = settings
        self._started: list[CassandraEngine] = []

    async def process(self, clock: Clock) -> CassandraEngine:
        """One more process."""
        engine = CassandraEngine(self.settings, clock, Instrument(), skew=1.0)
        await engine.start()
        self._started.append(engine)
        return engine

    async def empty(self) -> None:
        """Delete what somebody left here."""
        session = Session(self.settings, Instrument())
        await session.open()
        for table in TABLES:
            await session.query(f"TRUNCATE {table}", seconds=30)
        await session.close()

    async def end(self) -> None:
        """End what still runs."""
        for engine in self._started:
            await engine.stop()


async def done(operation: Callable[[], Awaitable[T]]) -> T:
    """What it ends with, once it is not refused any more."""

    async def tried() -> tuple[T] | None:
        try:
            return (await operation(),)
        except StorageUnavailable:
            return None

    (result,) = await until(tried, seconds=60)
    return result


def on(cluster: Cassandra, *, timeout: float = 10) -> CassandraSettings:
    """Of a keyspace that is not there yet, with a replica on every node."""
    name, nodes = f"exam_{next(NUMBERS)}", len(cluster.nodes)
    return CassandraSettings(hosts=cluster.addresses, keyspace=name, replication=nodes, timeout=Duration(timeout))


class OnCassandra(Exam):
    """An exam on the nodes of the fixture `cluster`.

    Deployments take turns on a few keyspaces, each emptied before its next turn: to make one and drop it takes a second.
    What is still in the air when a deployment ends has long landed by then.
    """

    cluster: ClassVar[Cassandra]
    used: ClassVar[deque[CassandraSettings]]
    deployed = Deployed

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def on_the_nodes(cls, cluster: Cassandra) -> None:
        """Whoever inherits has keyspaces of its own."""
        cls.cluster = cluster
        cls.used = deque()

    @asynccontextmanager
    async def _deployment(self) -> AsyncIterator[Deployed]:
        if len(self.used) < TURNS:
            deployed = self.deployed(on(self.cluster))
        else:
            deployed = self.deployed(self.used.popleft())
            await deployed.empty()
        try:
            yield deployed
        finally:
            await deployed.end()
            self.used.append(deployed.settings)

    def deployment(self) -> AbstractAsyncContextManager[Any]:
        """As `Exam.deployment`: a `Deployed`, whose processes have not every port."""
        return self._deployment()

    def clock(self, skew: float = 0.0) -> Clock:
        """As `Exam.clock`."""
        return JumpingClock(skew=skew)

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        """As `Exam.run`."""
        uvloop.run(main)

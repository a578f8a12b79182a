"""The hub over the engine `memory`, with back ends that do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from esclusa.bootstrap import ROLES, HubProcess, Ports, Role, Runtime, Setup, make_hub
from esclusa.config.settings import Configuration
from esclusa.connectors.connector import Connector
from esclusa.connectors.settings import ConnectorSettings
from esclusa.engines.memory import MemoryEngine
from esclusa.hub.settings import HubSettings, PoolSettings, QuerySettings
from esclusa.hub.stored import Asked, encode
from esclusa.hub.submission import Submission
from esclusa.hub.topics import pool_topics
from esclusa.hub.vault import Vault
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument, Level
from esclusa.kernel.lifecycle import Lifecycle
from esclusa.kernel.message import Message
from esclusa.kernel.signal import Signals
from esclusa.ports.log import Event, Log, Subscription, Topic
from esclusa.testing.backends import ScriptedBackend, data
from esclusa.testing.virtual import EPOCH

ME = "client:me"
NIF = "12345678Z"
FOUND = b'{"found":1}'


class FaultyLog:
    """A process's log, which refuses appends of answers, or holds its reads, when told to."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._reads: asyncio.Event | None = None
        self.refuse = False
        self.uncommitted = 0
        """How many commits fail."""
        self.unreadable = 0
        """How many times in a row nothing can be received."""

    def hold_reads(self, until: asyncio.Event) -> None:
        self._reads = until

    def append(self, topic: Topic, key: bytes, value: bytes) -> asyncio.Future[int]:
        if self.refuse and topic.name.startswith("answers."):
            future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            future.set_exception(StorageUnavailable("told to refuse"))
            return future
        return self._log.append(topic, key, value)

    async def read(self, topic: Topic, partition: int, since: int, end: int) -> AsyncIterator[Sequence[Message]]:
        if self._reads is not None:
            await self._reads.wait()
        async for messages in self._log.read(topic, partition, since, end):
            yield messages

    async def end(self, topic: Topic, partition: int) -> int:
        return await self._log.end(topic, partition)

    async def subscribe(self, topic: Topic, group: str | None) -> Subscription:
        return _FaultySubscription(self, await self._log.subscribe(topic, group))

    async def close(self) -> None:
        await self._log.close()


class _FaultySubscription:
    """A subscription that can't be read while its log is told to be unreadable."""

    def __init__(self, log: FaultyLog, subscription: Subscription) -> None:
        self._log = log
        self._subscription = subscription
        self.release = subscription.release
        self.close = subscription.close

    def commit(self, partition: int, position: int) -> asyncio.Future[None]:
        if self._log.uncommitted:
            self._log.uncommitted -= 1
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            future.set_exception(StorageUnavailable("told to refuse"))
            return future
        return self._subscription.commit(partition, position)

    async def receive(self) -> Event:
        if self._log.unreadable:
            self._log.unreadable -= 1
            raise StorageUnavailable("told to be unreadable")
        return await self._subscription.receive()


class Process:
    """One process of a hub on an engine that others may share."""

    def __init__(self, engine: MemoryEngine, runtime: Runtime, wired: HubProcess, parts: list[Any], logged: list[Any]) -> None:
        self.engine = engine
        self.runtime = runtime
        self.wired = wired
        self.hub = wired.hub
        self.parts = parts
        self.logged = logged
        self.lifecycle = Lifecycle(parts)

    def asked(self) -> bytes:
        """What a request's sealed part says."""
        return encode(Asked(ME, "q", NIF, {}))

    async def committed(self) -> int:
        """Envelopes of the first pool that are done with."""
        await self.runtime.clock.sleep(0.1)
        lags = await self.root.upkeep.lag([self.topics[0]])
        return sum(lag.committed for lag in lags if lag.group.startswith("pool."))

    async def kill(self) -> None:
        """As kill -9: nothing is committed, released or said."""
        self.engine.kill()
        for part in self.parts:
            background = getattr(part, "background", None)
            if background is not None:
                await background.cancel()
        for connector in self.connectors.values():
            await connector.close()

    settings: Configuration
    root: MemoryEngine
    """An engine on the same memory that nobody kills."""
    log: FaultyLog
    vault: Vault
    connectors: dict[str, Connector]
    backends: dict[str, ScriptedBackend]
    topics: list[Topic]


def configuration(
    names: Collection[str] = ("a", "b", "c"),
    *,
    query: dict[str, Any] | None = None,
    hub: dict[str, Any] | None = None,
    connectors: dict[str, dict[str, Any]] | None = None,
    pools: Collection[str] = ("default",),
) -> Configuration:
    each = {name: {"url": f"http://{name}.example/", **(connectors or {}).get(name, {})} for name in names}
    return Configuration(
        connectors={name: ConnectorSettings(**settings) for name, settings in each.items()},
        queries={"q": QuerySettings(**{"ttl": Duration(60), "keep": Duration(600), **(query or {})})},
        pools={name: PoolSettings(partitions=2) for name in pools},
        hub=HubSettings(**(hub or {})),
    )


def process(
    settings: Configuration,
    bodies: dict[str, ScriptedBackend],
    *,
    engine: MemoryEngine | None = None,
    roles: Collection[Role] = ROLES,
    skew: float = 0.0,
) -> Process:
    """A process, not started. `bodies` is filled up with healthy ones. `engine`: beside whose processes it runs."""
    clock = Clock(epoch=EPOCH + asyncio.get_running_loop().time() + skew)
    logged: list[Any] = []
    instrument = Instrument(lambda level, event, facts: logged.append((level, event, facts)), Level.DEBUG)
    runtime = Runtime(clock, Ids(clock), instrument, Signals())
    runtime.signals.listen()
    mine = MemoryEngine(clock) if engine is None else engine.beside(clock)
    log = FaultyLog(mine.log)
    ports = Ports(log, mine.records, mine.keys, [mine], {})
    connectors = {}
    for name, each in settings.connectors.items():
        body = bodies.setdefault(name, ScriptedBackend(clock, data(FOUND, after=0.1)))
        connectors[name] = Connector(name, body, each, clock, runtime.ids, instrument)
    wired = make_hub(settings, ports, connectors, runtime, roles=roles)
    made = Process(mine, runtime, wired, [mine, Setup(settings, ports), *wired.parts, wired.waits], logged)
    made.connectors = connectors
    made.backends = bodies
    made.settings = settings
    made.root = mine.beside(clock)
    made.log = log
    made.vault = Vault(made.root.keys, clock, runtime.ids)
    pairs = pool_topics(settings.pools, settings.queries).values()
    made.topics = [topic for pair in pairs for topic in (pair.requests, pair.answers)]
    return made


@asynccontextmanager
async def running(
    settings: Configuration | None = None, bodies: dict[str, ScriptedBackend] | None = None, **options: Any
) -> AsyncIterator[Process]:
    made = process(settings or configuration(), {} if bodies is None else bodies, **options)
    async with made.lifecycle:
        yield made


def question(**change: Any) -> Submission:
    return msgspec.structs.replace(Submission(caller=ME, query="q", subject=NIF), **change)

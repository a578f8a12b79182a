"""The hub over the engine `memory`, with back ends that do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from esclusa.bootstrap import ROLES, HubProcess, Ports, Role, Runtime, make_hub, make_setup
from esclusa.config.settings import Configuration
from esclusa.connectors.connector import Connector
from esclusa.connectors.rest import RestSettings
from esclusa.engines.memory import MemoryEngine
from esclusa.hub.settings import HubSettings, PoolSettings, QuerySettings
from esclusa.hub.stored import UserQuestion, encode
from esclusa.hub.submission import Submission
from esclusa.hub.topics import pool_topics
from esclusa.hub.vault import Vault
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.ids import Ids
from esclusa.kernel.lifecycle import Lifecycle
from esclusa.kernel.signal import Signals
from esclusa.ports.log import Topic
from esclusa.testing.backends import ScriptedBackend, data
from esclusa.testing.virtual import EPOCH
from support.faulty_log import FaultyLog
from support.sink import Sink

ME = "client:me"
NIF = "12345678Z"
FOUND = b'{"found":1}'


class Process:
    """One process of a hub on an engine that others may share."""

    def __init__(self, engine: MemoryEngine, runtime: Runtime, wired: HubProcess, parts: list[Any], logged: Sink) -> None:
        self.engine = engine
        self.runtime = runtime
        self.wired = wired
        self.hub = wired.hub
        self.parts = [part for each in parts for part in (each if isinstance(each, list) else [each])]
        self.logged = logged
        self.lifecycle = Lifecycle(parts)

    def question(self) -> bytes:
        """What a request's sealed part says."""
        return encode(UserQuestion(ME, "q", NIF, {}))

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
        connectors={name: RestSettings(**settings) for name, settings in each.items()},
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
    logged = Sink()
    instrument = logged.instrument()
    runtime = Runtime(clock, Ids(clock), instrument, Signals())
    runtime.signals.listen()
    mine = MemoryEngine(clock) if engine is None else engine.beside(clock)
    log = FaultyLog(mine.log)
    ports = Ports(log, mine.records, mine.keys, [mine], {"log": mine})
    connectors = {}
    for name, each in settings.connectors.items():
        body = bodies.setdefault(name, ScriptedBackend(clock, data(FOUND, after=0.1)))
        connectors[name] = Connector(name, body, each, clock, runtime.ids, instrument)
    wired = make_hub(settings, ports, connectors, runtime, roles=roles)
    made = Process(mine, runtime, wired, [mine, make_setup(settings, ports), *wired.parts], logged)
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


async def envelopes(it: Process) -> int:
    """How many the first pool has been sent."""
    topic = it.topics[0]
    return sum([await it.root.log.end(topic, partition) for partition in range(topic.partitions)])


def failing(port: Any, method: str, times: int = 1) -> Callable[[], None]:
    """The next calls of a port's method fail, though what they asked for may have happened."""
    original = getattr(port, method)
    left = times

    def call(*arguments: Any) -> Any:
        nonlocal left
        if not left:
            return original(*arguments)
        left -= 1
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.set_exception(StorageUnavailable("told to fail"))
        return future

    setattr(port, method, call)
    return lambda: setattr(port, method, original)

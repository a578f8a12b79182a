"""The hub over the engine `memory`, with back ends that do as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from esclusa.bootstrap import ROLES, HubProcess, Ports, Role, Setup, World, make_hub
from esclusa.config.settings import Configuration
from esclusa.connectors.connector import Connector
from esclusa.connectors.settings import ConnectorSettings
from esclusa.engines.memory import MemoryEngine
from esclusa.hub.settings import HubSettings, PoolSettings, QuerySettings
from esclusa.hub.submission import Submission
from esclusa.hub.topics import pool_topics
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument, Level
from esclusa.kernel.lifecycle import Lifecycle
from esclusa.kernel.signal import Signals
from esclusa.ports.log import Topic
from esclusa.testing.backends import ScriptedBackend, data
from esclusa.testing.virtual import EPOCH

ME = "client:me"
NIF = "12345678Z"
FOUND = b'{"found":1}'


class Process:
    """One process of a hub on an engine that others may share."""

    def __init__(self, engine: MemoryEngine, world: World, wired: HubProcess, parts: list[Any], logged: list[Any]) -> None:
        self.engine = engine
        self.world = world
        self.wired = wired
        self.hub = wired.hub
        self.parts = parts
        self.logged = logged
        self.lifecycle = Lifecycle(parts)

    async def kill(self) -> None:
        """As kill -9: nothing is committed, released or said."""
        self.engine.kill()
        for part in self.parts:
            background = getattr(part, "background", None)
            if background is not None:
                await background.cancel()
        for connector in self.connectors.values():
            await connector.close()

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
    wrap: Callable[[Ports], Ports] = lambda ports: ports,
) -> Process:
    """A process, not started. `bodies` is filled up with healthy ones. `engine`: beside whose processes it runs."""
    clock = Clock(epoch=EPOCH + asyncio.get_running_loop().time() + skew)
    logged: list[Any] = []
    instrument = Instrument(lambda level, event, facts: logged.append((level, event, facts)), Level.DEBUG)
    world = World(clock, Ids(clock), instrument, Signals())
    world.signals.listen()
    mine = MemoryEngine(clock) if engine is None else engine.beside(clock)
    ports = wrap(Ports(mine.log, mine.records, mine.keys, [mine]))
    connectors = {}
    for name, each in settings.connectors.items():
        body = bodies.setdefault(name, ScriptedBackend(clock, data(FOUND, after=0.1)))
        connectors[name] = Connector(name, body, each, clock, world.ids, instrument)
    wired = make_hub(settings, ports, connectors, world, roles=roles)
    made = Process(mine, world, wired, [mine, Setup(settings, ports), *wired.parts, wired.waits], logged)
    made.connectors = connectors
    made.backends = bodies
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

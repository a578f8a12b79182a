"""The only module that knows everything: makes every part from the configuration, and wires them.

Parts start in the order in which they stand here and are drained in the reverse one. So a process that is to end says first
that it is not ready, then takes no more questions; then the calls in the air are finished, all pools together, and their
answers collected; only then whoever waits is let go, with all that there is, and then HTTP and the storage end.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import traceback
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import msgspec

import esclusa
from esclusa.config.config import Configuration, load
from esclusa.config.engines import ENGINES, PORTS, engine_of
from esclusa.connectors.assembly import Contexts, make_connector
from esclusa.connectors.connector import Connector
from esclusa.edges.http.api import make_applications
from esclusa.edges.http.health import Health
from esclusa.edges.http.server import HttpServer
from esclusa.engines.memory import MemoryEngine
from esclusa.engines.sqlite import SqliteEngine
from esclusa.hub.admission import Admission
from esclusa.hub.collect import Collector
from esclusa.hub.hub import Hub
from esclusa.hub.inventory import Inventory
from esclusa.hub.pool import Pool
from esclusa.hub.presence import Presence, ProcessReport
from esclusa.hub.purge import Purge
from esclusa.hub.results import Results
from esclusa.hub.room import Room
from esclusa.hub.setup import Setup
from esclusa.hub.submit import Submitter
from esclusa.hub.topics import pool_topics
from esclusa.hub.vault import Vault
from esclusa.hub.wakeups import Wakeups
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import ConfigurationError, Mistake
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument, Level
from esclusa.kernel.lifecycle import Lifecycle, Part, Parts
from esclusa.kernel.signal import Signals
from esclusa.observability.logs import Logs
from esclusa.observability.metrics import Metrics
from esclusa.ports.keys import Keys
from esclusa.ports.log import Log
from esclusa.ports.records import Records
from esclusa.ports.upkeep import Upkeep

T = TypeVar("T")
Role = Literal["hub", "collector", "connectors", "purge"]
ROLES: tuple[Role, ...] = ("hub", "collector", "connectors", "purge")
LEEWAY = 5.0
"""Seconds that a part's drain may last beyond what calls in flight are given."""


class Engine(Part, Protocol):
    """What a package of `esclusa.engines` offers to be wired, beside its ports."""

    @property
    def upkeep(self) -> Upkeep:
        """Its administration."""


class LogEngine(Engine, Protocol):
    """An engine with a log."""

    @property
    def log(self) -> Log:
        """Its log."""


class RowEngine(Engine, Protocol):
    """An engine with records and keys."""

    @property
    def records(self) -> Records:
        """Its records."""

    @property
    def keys(self) -> Keys:
        """Its keys."""


class Ports(msgspec.Struct, frozen=True):
    """The ports of one process, and the engines behind them."""

    log: Log
    records: Records
    keys: Keys
    engines: Sequence[Engine]
    """Each once, in the order of starting."""
    by_port: Mapping[str, Engine]


class Runtime(msgspec.Struct, frozen=True):
    """What every part is given."""

    clock: Clock
    ids: Ids
    instrument: Instrument
    signals: Signals

    @classmethod
    def real(cls, instrument: Instrument | None = None) -> Runtime:
        """The machine's clock and randomness; nobody listens to signals."""
        clock = Clock()
        return cls(clock, Ids(clock), instrument or Instrument(), Signals())


def open_ports(configuration: Configuration, runtime: Runtime) -> Ports:
    """The ports that the configuration names, each on its engine; the engines are not started yet."""
    names = {port: engine_of(configuration.esclusa, port) for port in PORTS}
    made = {name: _whole(name, configuration, runtime) for name in names.values() if not ENGINES[name].networked}
    logs: dict[str, LogEngine] = {**made}
    rows: dict[str, RowEngine] = {**made}
    for name in names.values():
        if name == "kafka" and name not in logs:
            logs[name] = _kafka(configuration, runtime)
        if name == "cassandra" and name not in rows:
            rows[name] = _cassandra(configuration, runtime)
    log, records, keys = logs[names["log"]], rows[names["records"]], rows[names["keys"]]
    by_port: dict[str, Engine] = {"log": log, "records": records, "keys": keys}
    return Ports(log.log, records.records, keys.keys, list({id(each): each for each in by_port.values()}.values()), by_port)


def _whole(name: str, configuration: Configuration, runtime: Runtime) -> MemoryEngine | SqliteEngine:
    if name == "memory":
        return MemoryEngine(runtime.clock)
    return SqliteEngine(Path(configuration.esclusa.data), runtime.clock, runtime.instrument, runtime.signals)


# A vendor's package is imported only where its engine is used: most installations have neither.


def _kafka(configuration: Configuration, runtime: Runtime) -> LogEngine:
    from esclusa.engines.kafka.kafka import KafkaEngine  # noqa: PLC0415 - see above

    return KafkaEngine(_table(configuration.kafka, "kafka"), runtime.clock, runtime.instrument)


def _cassandra(configuration: Configuration, runtime: Runtime) -> RowEngine:
    from esclusa.engines.cassandra.cassandra import CassandraEngine  # noqa: PLC0415 - see above

    return CassandraEngine(_table(configuration.cassandra, "cassandra"), runtime.clock, runtime.instrument)


def _table(settings: T | None, name: str) -> T:
    if settings is None:
        raise ConfigurationError([Mistake("configuration", 0, f"the engine {name} needs a table [{name}]")])
    return settings


def make_connectors(configuration: Configuration, runtime: Runtime) -> dict[str, Connector]:
    """Every connector of the configuration, ready to call. `ConfigurationError` names what can't be made."""
    contexts = Contexts()
    return {
        name: make_connector(
            name,
            settings,
            None if settings.credentials is None else configuration.credentials[settings.credentials],
            configuration.hub.max_answer,
            runtime.clock,
            runtime.ids,
            runtime.instrument,
            contexts,
        )
        for name, settings in configuration.connectors.items()
    }


class ConnectorsPart:
    """The connectors of a process as a part: there is nothing to start; what they hold is let go at the end."""

    def __init__(self, connectors: Mapping[str, Connector]) -> None:
        self._connectors = connectors

    async def start(self) -> None:
        """They connect when they are first asked."""

    async def drain(self) -> None:
        """Their pools have drained them."""

    async def stop(self) -> None:
        """Close every connection."""
        for each in self._connectors.values():
            await each.close()


class HubProcess(msgspec.Struct, frozen=True):
    """The hub of one process, and what has to run for it, in the order of starting."""

    hub: Hub
    parts: Parts
    waits: Wakeups
    """Started before `parts` and so drained after them: whoever waits sees their last answers."""


def make_hub(
    configuration: Configuration,
    ports: Ports,
    connectors: Mapping[str, Connector],
    runtime: Runtime,
    *,
    roles: Collection[Role] = ROLES,
    pools: Collection[str] | None = None,
) -> HubProcess:
    """Wire the hub over `ports`. `pools`: whose connectors this process runs; None: all."""
    clock, ids, instrument, signals = runtime.clock, runtime.ids, runtime.instrument, runtime.signals
    settings = configuration.hub
    topics = pool_topics(configuration.pools, configuration.queries)
    inventory = Inventory(configuration.connectors, configuration.queries)
    vault = Vault(ports.keys, clock, ids)

    admission = Admission(ports.records, settings, clock, ids, instrument)
    wakeups = Wakeups(ports.log, clock, instrument, admission.rows_written)
    results = Results(inventory, ports.records, vault, wakeups, clock)
    submitter = Submitter(
        inventory, topics, ports.log, ports.records, vault, results, admission, settings, clock, ids, instrument
    )
    served = [name for name in topics if pools is None or name in pools] if "connectors" in roles else []
    mine = {name: each for name, each in connectors.items() if configuration.connectors[name].pool in served}
    me = ProcessReport(
        str(ids.uuid()),
        esclusa.__version__,
        clock.millis(),
        clock.millis(),
        list(roles),
        served,
        fingerprint(configuration),
        [],
    )
    presence = Presence(me, inventory, mine, ports.records, clock, instrument)
    parts: list[Part | Sequence[Part]] = [vault]
    if "collector" in roles:
        parts.append([Collector(each, ports.log, ports.records, clock, instrument, signals) for each in topics.values()])
    parts.append(ConnectorsPart(mine))
    its = {name: {each: mine[each] for each in mine if configuration.connectors[each].pool == name} for name in served}
    room = Room(settings.lines_bytes)
    parts.append(
        [Pool(topics[name], its[name], ports.log, vault, room, settings, clock, instrument, signals) for name in served]
    )
    parts += [admission, presence]
    if "purge" in roles:
        upkeep = [engine.upkeep for engine in ports.engines]
        parts.append(Purge(ports.keys, upkeep, clock, instrument, signals))
    parts.append(submitter)
    return HubProcess(Hub(inventory, submitter, results, presence), parts, wakeups)


def make_setup(configuration: Configuration, ports: Ports) -> Setup:
    """What makes the topics that the configuration asks for."""
    topics = pool_topics(configuration.pools, configuration.queries)
    return Setup(topics.values(), [engine.upkeep for engine in ports.engines])


def fingerprint(configuration: Configuration) -> str:
    """Short and the same for processes with the same configuration; says nothing of the secrets in it."""
    said = msgspec.json.encode(configuration, order="deterministic", enc_hook=str)
    return blake2b(said, digest_size=6).hexdigest()


@asynccontextmanager
async def open_hub(
    source: str | Path | Configuration, *, environ: Mapping[str, str] | None = None, instrument: Instrument | None = None
) -> AsyncIterator[Hub]:
    """The hub inside one's own program, with every role, for as long as the context lasts.

    `source`: the path of a configuration file, or a configuration; `environ`: what its `${NAME}` stand for, the
    process's environment unless given. Raises `ConfigurationError`, `StorageError`; if a part dies, the context is cut off
    with `PartDied`.
    """
    configuration = (
        source if isinstance(source, Configuration) else load(Path(source), os.environ if environ is None else environ)
    )
    runtime = Runtime.real(instrument)
    ports = open_ports(configuration, runtime)
    process = make_hub(configuration, ports, make_connectors(configuration, runtime), runtime)
    parts: Parts = [*ports.engines, make_setup(configuration, ports), process.waits, *process.parts]
    async with Lifecycle(parts, drain=configuration.hub.drain + LEEWAY) as lifecycle, lifecycle.guard():
        yield process.hub


class Application(msgspec.Struct, frozen=True):
    """One process, wired and not started."""

    hub: Hub
    server: HttpServer
    """Its `address` and `admin` say where it serves, once started."""
    lifecycle: Lifecycle


def make_application(
    configuration: Configuration,
    runtime: Runtime,
    *,
    roles: Collection[Role] = ROLES,
    pools: Collection[str] | None = None,
    first: Sequence[Part] = (),
) -> Application:
    """Everything that one process runs. `first`: parts that start before all others and stop after them.

    Raises `ConfigurationError` for what can't be made.
    """
    _check_roles(configuration, roles, pools)
    ports = open_ports(configuration, runtime)
    process = make_hub(configuration, ports, make_connectors(configuration, runtime), runtime, roles=roles, pools=pools)
    checks = {port: engine.upkeep.check for port, engine in ports.by_port.items()}
    health = Health(checks, runtime.clock, runtime.instrument)
    applications = make_applications(
        process.hub,
        health,
        Metrics(runtime.instrument),
        configuration.server,
        configuration.clients,
        runtime.clock,
        runtime.ids,
        runtime.instrument,
    )
    data = Path(configuration.esclusa.data)
    server = HttpServer(applications, configuration.server, data, runtime.clock, runtime.ids, runtime.instrument)
    setup = make_setup(configuration, ports)
    parts: Parts = [*first, *ports.engines, setup, server, process.waits, *process.parts, health]
    return Application(process.hub, server, Lifecycle(parts, drain=configuration.hub.drain + LEEWAY))


def _check_roles(configuration: Configuration, roles: Collection[Role], pools: Collection[str] | None) -> None:
    """A process that nobody can join has to do everything itself: `ConfigurationError` otherwise."""
    alone = sorted({name for port in PORTS if not ENGINES[name := engine_of(configuration.esclusa, port)].networked})
    if alone and (set(roles) != set(ROLES) or pools is not None):
        what = f"the engine {alone[0]} belongs to one process, which has to do everything: leave --role and --pool out"
        raise ConfigurationError([Mistake("command line", 0, what)])


def _report(instrument: Instrument, context: dict[str, Any]) -> None:
    """A callback that failed, in words that hold nothing personal: asyncio's own would print its arguments."""
    error = context.get("exception")
    place = traceback.extract_tb(error.__traceback__)[-1:] if error is not None else []
    where = [f"{frame.filename}:{frame.lineno}" for frame in place]
    instrument.error("a callback failed", error=type(error).__name__, place=where)


async def serve(
    configuration: Configuration,
    *,
    roles: Collection[Role] = ROLES,
    pools: Collection[str] | None = None,
    started: Callable[[Application], None] = lambda _: None,
) -> None:
    """Run a process until SIGTERM or SIGINT, then drain. `started` is called once it is ready.

    Raises `ConfigurationError`, `StorageError`, `CannotListen` when it can't start, `PartDied` when a part dies.
    """
    clock = Clock()
    logs = Logs(clock, configuration.log.format)
    instrument = Instrument(logs, Level[configuration.log.level.upper()])
    runtime = Runtime(clock, Ids(clock), instrument, Signals())
    application = make_application(configuration, runtime, roles=roles, pools=pools, first=[logs])
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: _report(instrument, context))
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, application.lifecycle.end)
    try:
        async with application.lifecycle:
            freeze_memory()
            instrument.info("started", version=esclusa.__version__, roles=list(roles))
            started(application)
            await application.lifecycle.ended()
            instrument.info("draining")
        instrument.info("stopped")
    finally:
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(each)


def freeze_memory() -> None:
    """Once started: what lives for ever is not looked at by the collector again, which then runs seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)

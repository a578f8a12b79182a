"""The ports of one process, each on the engine that the configuration names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from esclusa.bootstrap.runtime import Runtime
from esclusa.config.config import Configuration
from esclusa.config.engines import ENGINES, PORTS, engine_of
from esclusa.engines.memory import MemoryEngine
from esclusa.engines.sqlite import SqliteEngine
from esclusa.kernel.errors import ConfigurationError, Mistake
from esclusa.kernel.lifecycle import Part
from esclusa.ports.installation import Installation
from esclusa.ports.keys import Keys
from esclusa.ports.log import Log
from esclusa.ports.records import Records
from esclusa.ports.upkeep import Upkeep

T = TypeVar("T")


class Engine(Part, Protocol):
    """What a package of `esclusa.engines` offers to be wired, beside its ports."""

    @property
    def upkeep(self) -> Upkeep:
        """Its administration."""

    @property
    def installation(self) -> Installation:
        """What it stands on."""


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

    table = _table(configuration.cassandra, "cassandra")
    return CassandraEngine(table, runtime.clock, runtime.instrument, skew=configuration.hub.skew)


def _table(settings: T | None, name: str) -> T:
    if settings is None:
        raise ConfigurationError([Mistake("configuration", 0, f"the engine {name} needs a table [{name}]")])
    return settings

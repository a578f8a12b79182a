"""The hub of one process: its parts, by the roles that the process has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Literal

import msgspec

import esclusa
from esclusa.bootstrap.ports import Ports
from esclusa.bootstrap.runtime import Runtime
from esclusa.config.config import Configuration
from esclusa.connectors.assembly import make_backend
from esclusa.connectors.backend import Backend
from esclusa.connectors.connector import Connector
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.roster import Roster
from esclusa.hub.admission import Admission
from esclusa.hub.cancel import Canceller
from esclusa.hub.cancellations import Cancellations
from esclusa.hub.collect import Collector
from esclusa.hub.consumer import consumers
from esclusa.hub.dispatch import UNSENT_BYTES
from esclusa.hub.hub import Hub
from esclusa.hub.inventory import Inventory
from esclusa.hub.lag import Lags
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
from esclusa.kernel.lifecycle import Part, Parts

Role = Literal["hub", "collector", "connectors", "purge"]
ROLES: tuple[Role, ...] = ("hub", "collector", "connectors", "purge")


def make_connectors(configuration: Configuration, runtime: Runtime) -> dict[str, Connector]:
    """Every connector of the configuration, ready to call. `ConfigurationError` names what can't be made."""
    backends = make_backends(configuration, configuration.connectors, make_workshop(configuration, runtime))
    return {name: make_connector(name, backend, configuration, runtime) for name, backend in backends.items()}


def make_connector(name: str, backend: Backend, configuration: Configuration, runtime: Runtime) -> Connector:
    """The connector `name` before `backend`."""
    settings = configuration.connectors[name]
    return Connector(name, backend, settings, runtime.clock, runtime.ids, runtime.instrument)


def make_workshop(configuration: Configuration, runtime: Runtime) -> Workshop:
    """What back ends are made with, those that are made at the same time."""
    return Workshop(runtime.clock, runtime.ids, configuration.hub.max_answer, Contexts())


def make_backends(configuration: Configuration, names: Iterable[str], workshop: Workshop) -> dict[str, Backend]:
    """The back ends of the connectors `names`, by those names. `ConfigurationError` names what can't be made."""
    return {
        name: make_backend(
            name,
            settings,
            None if settings.credentials is None else configuration.credentials[settings.credentials],
            workshop,
        )
        for name in names
        for settings in [configuration.connectors[name]]
    }


class HubProcess(msgspec.Struct, frozen=True):
    """The hub of one process, and what has to run for it, in the order of starting."""

    hub: Hub
    parts: Parts
    members: Sequence[Collector | Pool]
    """Those of the parts that are given partitions."""
    inventory: Inventory
    roster: Roster
    presence: Presence
    wakeups: Wakeups
    """Started with `parts` in a process of the role `hub` alone: elsewhere nobody waits."""


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
    submitter = Submitter(inventory, topics, ports.log, ports.records, vault, admission, settings, clock, ids, instrument)
    canceller = Canceller(results, ports.records, ports.log, admission, instrument)
    served = [name for name in topics if pools is None or name in pools] if "connectors" in roles else []
    roster = Roster(
        {
            pool: {name: each for name, each in connectors.items() if configuration.connectors[name].pool == pool}
            for pool in served
        }
    )
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
    presence = Presence(me, inventory, roster.all, ports.records, clock, instrument)
    lags = Lags(topics, configuration.pools, inventory, ports.by_port["log"].upkeep, clock, instrument)
    members: list[Collector | Pool] = []
    parts: list[Part | Sequence[Part]] = [vault]
    if "hub" in roles:
        parts = [wakeups, *parts]  # drained last: whoever waits sees the last answers
    if "collector" in roles:
        collectors = [Collector(each, ports.log, ports.records, clock, instrument, signals) for each in topics.values()]
        members += collectors
        parts.append(collectors)
    parts.append(roster)
    if served:
        cancelled = Cancellations(ports.log, clock, instrument)
        room, unsent = Room(settings.lines_bytes), Room(UNSENT_BYTES)
        consuming = [
            Pool(each, roster.of(pool), ports.log, vault, cancelled, room, unsent, settings, clock, instrument, signals)
            for pool in served
            for each in consumers(topics[pool], configuration.pools[pool], roster.of(pool))
        ]
        members += consuming
        parts += [cancelled, consuming]
    parts.append(presence)
    if "hub" in roles:
        parts += [admission, lags]
    if "purge" in roles:
        upkeep = [engine.upkeep for engine in ports.engines]
        parts.append(Purge(ports.keys, upkeep, clock, instrument, signals))
    if "hub" in roles:
        parts.append(submitter)
    return HubProcess(
        Hub(inventory, submitter, results, canceller, presence, lags), parts, members, inventory, roster, presence, wakeups
    )


def make_setup(configuration: Configuration, ports: Ports) -> Setup:
    """What makes the topics that the configuration asks for."""
    topics = pool_topics(configuration.pools, configuration.queries)
    return Setup(topics.values(), [engine.upkeep for engine in ports.engines])


def fingerprint(configuration: Configuration) -> str:
    """Short and the same for processes with the same configuration; says nothing of the secrets in it.

    Where a process serves and keeps its files is its own: several on one machine differ in that alone.
    """
    own = msgspec.structs.replace(configuration.esclusa, data="")
    server = msgspec.structs.replace(configuration.server, listen="", admin=None)
    shared = msgspec.structs.replace(configuration, esclusa=own, server=server)
    said = msgspec.json.encode(shared, order="deterministic", enc_hook=str)
    return blake2b(said, digest_size=6).hexdigest()

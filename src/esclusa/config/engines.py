"""Which engine serves which port."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from esclusa.config.settings import EsclusaSettings


class Engine(msgspec.Struct, frozen=True):
    """What the configuration has to know of an engine."""

    ports: frozenset[str]
    networked: bool
    """Shared by processes; otherwise it belongs to one."""
    available: bool = True
    """This version has it."""


PORTS = ("log", "records", "keys")

ENGINES: Mapping[str, Engine] = {
    "embedded": Engine(frozenset(PORTS), networked=False),
    "memory": Engine(frozenset(PORTS), networked=False),
    "sqlite": Engine(frozenset(PORTS), networked=False),
    "kafka": Engine(frozenset({"log"}), networked=True, available=False),
    "cassandra": Engine(frozenset({"records", "keys"}), networked=True, available=False),
}


def engine_of(settings: EsclusaSettings, port: str) -> str:
    """The name of the engine that serves `port`: its own, or else the one for everything. `embedded` is `sqlite`."""
    name = getattr(settings, port) or settings.engine
    return "sqlite" if name == "embedded" else str(name)

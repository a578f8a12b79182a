"""Which engine serves which port."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from esclusa.config.draft import Draft
from esclusa.config.findings import nearest
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
    name = named_engine(settings, port)
    return "sqlite" if name == "embedded" else name


def named_engine(settings: EsclusaSettings, port: str) -> str:
    """The same as the configuration calls it."""
    return str(getattr(settings, port) or settings.engine)


def check(draft: Draft, engines: Mapping[str, Engine] = ENGINES) -> None:
    """Note engines that there are not, that can't serve their port, or that can't work together."""
    settings = draft.settings.esclusa
    available = [name for name, engine in engines.items() if engine.available]
    for key in ("engine", *PORTS):
        name = getattr(settings, key)
        if name is not None and name not in available:
            problem = "that engine is not installed, " if name in engines else ""
            draft.wrong(
                ("esclusa", key), f"esclusa.{key} can't be {draft.shown('esclusa', key)}: {problem}{nearest(name, available)}"
            )
    serving = {port: engine_of(settings, port) for port in PORTS}
    for port, name in serving.items():
        if name in available and port not in engines[name].ports:
            able = [other for other in available if port in engines[other].ports]
            draft.wrong(("esclusa", port), f'the engine "{name}" has no {port}: set esclusa.{port}, {nearest("", able)}')
    shared = {port: name for port, name in serving.items() if name in engines and engines[name].networked}
    alone = {port: name for port, name in serving.items() if name in engines and not engines[name].networked}
    if shared and alone:
        (port, name), (other, one) = next(iter(shared.items())), next(iter(alone.items()))
        what = (
            f'"{name}" for the {port} is shared by processes, "{one}" for the {other} belongs to one: take engines of one kind'
        )
        draft.wrong(("esclusa", port), what)

"""Which engine serves which port."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

import msgspec

from esclusa.config.draft import Draft
from esclusa.config.findings import nearest
from esclusa.config.lines import Key
from esclusa.config.settings import EsclusaSettings
from esclusa.config.shape import dotted
from esclusa.connectors.transport.tls import client_context
from esclusa.engines.cassandra import settings as cassandra
from esclusa.engines.kafka import settings as kafka
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import StorageError
from esclusa.kernel.settings import TlsSettings


class Engine(msgspec.Struct, frozen=True):
    """What the configuration has to know of an engine."""

    ports: frozenset[str]
    networked: bool
    """Shared by processes, and found by a table of its own; otherwise it belongs to one."""
    package: str = ""
    """The vendor's package, which the extra of the engine's name brings along; empty where none is needed."""


PORTS = ("log", "records", "keys")

ENGINES: Mapping[str, Engine] = {
    "embedded": Engine(frozenset(PORTS), networked=False),
    "memory": Engine(frozenset(PORTS), networked=False),
    "sqlite": Engine(frozenset(PORTS), networked=False),
    "kafka": Engine(frozenset({"log"}), networked=True, package="confluent_kafka"),
    "cassandra": Engine(frozenset({"records", "keys"}), networked=True, package="acsylla"),
}
FIRST = {"kafka": 'servers = ["host:9092"]', "cassandra": 'hosts = ["host"]'}
"""What the table of a networked engine has to say."""


def engine_of(settings: EsclusaSettings, port: str) -> str:
    """The name of the engine that serves `port`: its own, or else the one for everything. `embedded` is `sqlite`."""
    name = named_engine(settings, port)
    return "sqlite" if name == "embedded" else name


def named_engine(settings: EsclusaSettings, port: str) -> str:
    """The same as the configuration calls it. Keys are where the records are, unless they have their own."""
    own = settings.keys or settings.records if port == "keys" else getattr(settings, port)
    return str(own or settings.engine)


def check(draft: Draft) -> None:
    """Note engines that there are not, that can't serve their port, that can't be used, or that can't work together."""
    settings = draft.settings.esclusa
    for key in ("engine", *PORTS):
        name = getattr(settings, key)
        if name is not None and name not in ENGINES:
            draft.wrong(("esclusa", key), f"esclusa.{key} can't be {draft.shown('esclusa', key)}: {nearest(name, ENGINES)}")
    serving = {port: name for port in PORTS if (name := engine_of(settings, port)) in ENGINES}
    for port, name in serving.items():
        if port not in ENGINES[name].ports:
            able = [other for other, engine in ENGINES.items() if port in engine.ports]
            draft.wrong(_named(draft, port), f'the engine "{name}" has no {port}: set esclusa.{port}, {nearest("", able)}')
    shared = {port: name for port, name in serving.items() if ENGINES[name].networked}
    alone = {port: name for port, name in serving.items() if not ENGINES[name].networked}
    if shared and alone:
        (port, name), (other, one) = next(iter(shared.items())), next(iter(alone.items()))
        fit = [each for each, engine in ENGINES.items() if engine.networked and other in engine.ports]
        what = (
            f'"{name}" for the {port} is shared by processes, "{one}" for the {other} belongs to one: take engines of one kind,'
            f' such as {other} = "{fit[0]}"'
        )
        draft.wrong(_named(draft, port), what)
    for name, port in {name: port for port, name in reversed(shared.items())}.items():
        usable(draft, name, port)


def usable(draft: Draft, name: str, port: str) -> None:
    """Note what the networked engine `name`, which serves `port`, lacks."""
    if find_spec(ENGINES[name].package) is None:
        draft.wrong(_named(draft, port), f'the engine "{name}" is not installed: pip install "esclusa[{name}]"')
    if getattr(draft.settings, name) is None and not draft.given(name):
        draft.wrong(_named(draft, port), f'the engine "{name}" is nowhere: add [{name}] with {FIRST[name]}')
    if name == "cassandra" and draft.settings.cassandra is not None:
        for query, settings in draft.settings.queries.items():
            if settings.kept > cassandra.LONGEST:
                what = f"queries.{query}.keep can't be {settings.keep}: records on Cassandra last {Duration(cassandra.LONGEST)} at most"
                draft.wrong(("queries", query, "keep"), what)
    try:
        if name == "cassandra" and draft.settings.cassandra is not None:
            cassandra.check(draft.settings.cassandra)
            cassandra.contact(draft.settings.cassandra.hosts)
            encrypted(draft, name, draft.settings.cassandra.tls)
        if name == "kafka" and draft.settings.kafka is not None:
            kafka.check(draft.settings.kafka)
            encrypted(draft, name, draft.settings.kafka.tls)
    except StorageError as error:
        draft.wrong((name,), str(error))


def encrypted(draft: Draft, name: str, tls: TlsSettings | None) -> None:
    """Note files of `[NAME] tls` that can't be used, a key that is another certificate's, or a password that isn't its own."""
    if tls is None:
        return
    path: Key = (name, "tls", "ca")
    try:
        client_context(ca=tls.ca)
        path = (name, "tls", "certificate")
        client_context(ca=tls.ca, certificate=tls.certificate, key=tls.key, password=tls.password)
    except ValueError as error:
        draft.wrong(path, f"{dotted(path)}: {error}")


def _named(draft: Draft, port: str) -> Key:
    """Where the engine of `port` is named."""
    places = ("keys", "records", "engine") if port == "keys" else (port, "engine")
    return ("esclusa", next((place for place in places if draft.given("esclusa", place)), port))

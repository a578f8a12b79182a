"""The cluster as it is found: its datacentres, the keyspaces with their tables, and this program's rights to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import msgspec

from esclusa.engines.cassandra import schema
from esclusa.engines.cassandra.errors import explained
from esclusa.engines.cassandra.schema import (
    KEYSPACES,
    LADDER,
    NODE_SETTINGS,
    RIGHTS,
    TABLES,
    VERSION,
    KnownNode,
    keyspaces,
    nodes,
    quoted,
    replicas_in,
)
from esclusa.engines.cassandra.session import Session
from esclusa.engines.cassandra.settings import CassandraSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageError, StorageUnavailable
from esclusa.kernel.instrument import Instrument
from esclusa.ports.installation import Finding
from esclusa.ports.log import Topic

SETUP = 'run "esclusa setup", or have somebody who may make keyspaces run what "esclusa setup --print" says'
_NOW = "SELECT toUnixTimestamp(now()) FROM system.local"
_HINTS = f"SELECT value FROM {NODE_SETTINGS} WHERE name = 'hinted_handoff_enabled'"  # noqa: S608 - our own
_KEYSPACES = "SELECT keyspace_name, replication, durable_writes FROM system_schema.keyspaces"


class _Told(NamedTuple):
    """What a node says of itself."""

    apart: float
    """Seconds between its clock and this machine's, at least."""
    hints: bool | None
    """Whether it keeps hints; None: it doesn't tell this program's user."""


class CassandraInstallation:
    """`esclusa.ports.installation.Installation` on a cluster."""

    def __init__(self, settings: CassandraSettings, clock: Clock, *, skew: float) -> None:
        """`skew`: seconds by which a node's clock may differ from this machine's."""
        self._settings = settings
        self._clock = clock
        self._skew = skew

    def script(self, topics: Sequence[Topic]) -> str:  # noqa: ARG002 - the port's
        """The statements that make keyspaces and tables, and give this program's user its rights."""
        return schema.script(self._settings)

    async def inspect(self, topics: Sequence[Topic]) -> list[Finding]:  # noqa: ARG002 - the port's
        """The nodes, their clocks and hints, the keyspaces, the tables, and the rights to them."""
        try:
            async with _connected(msgspec.structs.replace(self._settings, datacentre="")) as session:
                there = await nodes(session)
        except StorageError as error:
            return [unreachable(error)]
        names = sorted({node.datacentre for node in there})
        datacentre = self._settings.datacentre or (names[0] if len(names) == 1 else "")
        found = [self._nodes(there, datacentre, names)]
        if found[0].state == "wrong" and datacentre not in names:
            return found
        try:
            async with _connected(self._settings) as session:
                found += await self._each(session, [node.address for node in there if node.datacentre == datacentre])
                return [*found, *await self._keyspaces(session, datacentre), *await self._rights(session)]
        except StorageError as error:
            return [*found, Finding("tables", "wrong", str(error), "look at the nodes, and try again")]

    def _nodes(self, there: Sequence[KnownNode], datacentre: str, names: Sequence[str]) -> Finding:
        if not datacentre:
            what = f"the cluster has several datacentres: {', '.join(names)}"
            return Finding("nodes", "wrong", what, "set cassandra.datacentre to one of them")
        if datacentre not in names:
            what = f"there is no datacentre {datacentre}, but {', '.join(names)}"
            return Finding("nodes", "wrong", what, f"set cassandra.datacentre to {' or '.join(names)}")
        count, wanted = sum(node.datacentre == datacentre for node in there), self._settings.replication
        what = f"{count} in the datacentre {datacentre}, version {', '.join(sorted({node.version for node in there}))}"
        if count < wanted:
            return Finding(
                "nodes", "wrong", f"{what}: too few for {wanted} replicas", "add nodes, or lower cassandra.replication"
            )
        if wanted == 1:
            what += "; one replica of each row, which is away with its node"
            return Finding("nodes", "doubtful", what, "have 3 nodes, and cassandra.replication = 3")
        return Finding("nodes", "sound", what)

    async def _each(self, session: Session, addresses: Sequence[str]) -> list[Finding]:
        """What each node has to be asked by itself."""
        asked = await asyncio.gather(*[self._ask(session, each) for each in addresses])
        told = {address: said for address, said in zip(addresses, asked, strict=True) if said is not None}
        found = [
            Finding(f"node {address}", "doubtful", "does not answer", "see that it runs, and can be reached from here")
            for address in addresses
            if address not in told
        ]
        if told:
            found.append(self._clocks(told))
            if addresses[1:]:  # nobody keeps hints for himself
                found.append(_hints(told, self._settings))
        return found

    async def _ask(self, session: Session, address: str) -> _Told | None:
        """None where it doesn't answer."""
        before = self._clock.millis()
        try:
            ((there,),) = await session.query(_NOW, node=address)
        except StorageUnavailable:
            return None
        after = self._clock.millis()
        try:
            hints = await session.query(_HINTS, node=address) == [("true",)]
        except StorageUnavailable:
            hints = None
        return _Told(max(before - int(there), int(there) - after, 0) / 1000, hints)

    def _clocks(self, told: Mapping[str, _Told]) -> Finding:
        apart = [f"{address} by {said.apart:.1f} s" for address, said in told.items() if said.apart > self._skew]
        if apart:
            what = f"not this machine's: {', '.join(apart)}"
            return Finding("clock", "doubtful", what, "have all of them follow one time (NTP): rows expire by it")
        return Finding("clock", "sound", "of one time with this machine's")

    async def _keyspaces(self, session: Session, datacentre: str) -> list[Finding]:
        there = {name: (dict(replication), durable) for name, replication, durable in await session.query(_KEYSPACES)}
        found = []
        for name, lasting in zip(keyspaces(self._settings), KEYSPACES.values(), strict=True):
            part, wanted = f"keyspace {name}", self._settings.replication
            if name not in there:
                found.append(Finding(part, "wrong", "absent", SETUP))
                continue
            replication, durable = there[name]
            replicas = replicas_in(datacentre, replication)
            if replicas == wanted and durable and not lasting:
                what = "its writes go through the commit log, which keeps secrets that have been destroyed"
                found.append(Finding(part, "wrong", what, f"ALTER KEYSPACE {name} WITH durable_writes = false"))
            elif replicas != wanted:
                what = f"{replicas} replicas in the datacentre {datacentre}, but cassandra.replication is {wanted}"
                remedy = "alter the keyspace and repair it, or set cassandra.replication to what is there (1, or 3 and more)"
                found.append(Finding(part, "wrong", what, remedy))
            else:
                found.append(Finding(part, "sound", f"{replicas} {'replica' if replicas == 1 else 'replicas'}"))
        if all(name in there for name in keyspaces(self._settings)):
            found.append(await self._tables(session))
        return found

    async def _tables(self, session: Session) -> Finding:
        wanted = schema.tables(self._settings)
        names = [(name, str(table)) for name in keyspaces(self._settings) for (table,) in await session.query(_tables(name))]
        absent = sorted(f"{name}.{table}" for name, table in wanted - set(names))
        if absent:
            return Finding("tables", "wrong", f"absent: {', '.join(absent)}", SETUP)
        try:
            rows = await session.query(VERSION)
        except StorageUnavailable as error:
            return Finding("tables", "wrong", str(error), _grants(self._settings))
        version = int(rows[0][0]) if rows else 0
        if version > len(LADDER):
            what = schema.too_new(self._settings.keyspace, version, len(LADDER))
            return Finding("tables", "wrong", what, "run that version, or set cassandra.keyspace to another")
        if version < len(LADDER):
            return Finding("tables", "wrong", f"of an older version ({version} of {len(LADDER)})", SETUP)
        return Finding("tables", "sound", f"all there, version {version}")

    async def _rights(self, session: Session) -> list[Finding]:
        """Nothing where nobody logs in, or where the cluster asks for no rights."""
        user = self._settings.username
        if not user:
            return []
        try:
            roles = await session.query(f"LIST ROLES OF {quoted(user)}")
            rights = await session.query(f"LIST ALL PERMISSIONS OF {quoted(user)}")
        except StorageUnavailable:
            return []
        part = f"rights of {user}"
        if any(role[1] is True for role in roles):
            return [Finding(part, "doubtful", "a superuser's", "give this program a user of its own")]
        given = {(str(right[2]), str(right[3])) for right in rights}
        lacking = sorted({
            f"{right} on {name}.{table}"
            for name, table in schema.tables(self._settings)
            for right in (RIGHTS if table != "esclusa" else RIGHTS[:1])
            if not any((f"<{where}>", right) in given for where in ("all keyspaces", f"keyspace {name}", f"table {name}.{table}"))
        })  # fmt: skip
        if lacking:
            return [Finding(part, "wrong", f"lacking: {', '.join(lacking)}", _grants(self._settings))]
        return [Finding(part, "sound", "enough for what is there")]


@asynccontextmanager
async def _connected(settings: CassandraSettings) -> AsyncIterator[Session]:
    session = Session(settings, Instrument())
    await session.open()
    try:
        yield session
    finally:
        await session.close()


def _hints(told: Mapping[str, _Told], settings: CassandraSettings) -> Finding:
    """Whether a node that is away makes the others keep what has been destroyed; told by more than one."""
    keeping = [address for address, said in told.items() if said.hints]
    if keeping:
        what = f"kept by {', '.join(keeping)}: while a node is away, keys that have been destroyed stay in them"
        remedy = (
            'set "hinted_handoff_enabled: false" in the cassandra.yaml of every node, and run "nodetool disablehandoff" on it'
        )
        return Finding("hints", "doubtful", what, remedy)
    if any(said.hints is None for said in told.values()):
        return Finding("hints", "doubtful", "nodes don't tell whether they keep any", _grants(settings))
    return Finding("hints", "sound", "kept by no node")


def unreachable(error: StorageError) -> Finding:
    """Why nobody can be spoken to."""
    why = None if error.__cause__ is None else explained(error.__cause__)
    if why is not None:
        return Finding("nodes", "wrong", *why)
    return Finding("nodes", "wrong", str(error), "look at [cassandra], above all at its hosts, and at what stands between")


def _tables(keyspace: str) -> str:
    return TABLES.replace("{keyspace}", keyspace)


def _grants(settings: CassandraSettings) -> str:
    user = settings.username or "this program's user"
    return f'have an administrator give {user} its rights: "esclusa setup --print" says how'

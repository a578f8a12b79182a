"""The cluster as it is found: its datacentres, the keyspaces with their tables, and this program's rights to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from esclusa.engines.cassandra import schema
from esclusa.engines.cassandra.errors import explained
from esclusa.engines.cassandra.schema import KEYSPACES, LADDER, RIGHTS, TABLES, VERSION, keyspaces, nodes, quoted, replicas_in
from esclusa.engines.cassandra.session import Session
from esclusa.engines.cassandra.settings import CassandraSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageError, StorageUnavailable
from esclusa.kernel.instrument import Instrument
from esclusa.ports.installation import Finding
from esclusa.ports.log import Topic

SKEW = 1000
"""Milliseconds by which a node's clock may differ from this machine's."""
SETUP = 'run "esclusa setup", or have somebody who may make keyspaces run what "esclusa setup --print" says'
_NOW = "SELECT toUnixTimestamp(now()) FROM system.local"
_KEYSPACES = "SELECT keyspace_name, replication, durable_writes FROM system_schema.keyspaces"


class CassandraInstallation:
    """`esclusa.ports.installation.Installation` on a cluster."""

    def __init__(self, settings: CassandraSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def script(self, topics: Sequence[Topic]) -> str:  # noqa: ARG002 - the port's
        """The statements that make keyspaces and tables, and give this program's user its rights."""
        return schema.script(self._settings)

    async def inspect(self, topics: Sequence[Topic]) -> list[Finding]:  # noqa: ARG002 - the port's
        """The nodes, their clock, the keyspaces, the tables, and the rights to them."""
        try:
            async with _connected(msgspec.structs.replace(self._settings, datacentre="")) as session:
                there = await nodes(session)
                clock = await self._clocks(session)
        except StorageError as error:
            return [unreachable(error)]
        names = sorted({name for name, _ in there})
        datacentre = self._settings.datacentre or (names[0] if len(names) == 1 else "")
        found = [self._nodes(there, datacentre, names)]
        if found[0].state == "wrong" and datacentre not in names:
            return found
        try:
            async with _connected(self._settings) as session:
                return [*found, clock, *await self._keyspaces(session, datacentre), *await self._rights(session)]
        except StorageError as error:
            return [*found, clock, Finding("tables", "wrong", str(error), "look at the nodes, and try again")]

    def _nodes(self, there: Sequence[tuple[str, str]], datacentre: str, names: Sequence[str]) -> Finding:
        if not datacentre:
            what = f"the cluster has several datacentres: {', '.join(names)}"
            return Finding("nodes", "wrong", what, "set cassandra.datacentre to one of them")
        if datacentre not in names:
            what = f"there is no datacentre {datacentre}, but {', '.join(names)}"
            return Finding("nodes", "wrong", what, f"set cassandra.datacentre to {' or '.join(names)}")
        count, wanted = sum(name == datacentre for name, _ in there), self._settings.replication
        what = f"{count} in the datacentre {datacentre}, version {', '.join(sorted({version for _, version in there}))}"
        if count < wanted:
            return Finding(
                "nodes", "wrong", f"{what}: too few for {wanted} replicas", "add nodes, or lower cassandra.replication"
            )
        if wanted == 1:
            what += "; one replica of each row, which is away with its node"
            return Finding("nodes", "doubtful", what, "have 3 nodes, and cassandra.replication = 3")
        return Finding("nodes", "sound", what)

    async def _clocks(self, session: Session) -> Finding:
        before = self._clock.millis()
        ((there,),) = await session.query(_NOW)
        after = self._clock.millis()
        apart = max(before - int(there), int(there) - after, 0)
        if apart > SKEW:
            what = f"a node's clock and this machine's are {apart / 1000:.1f} s apart"
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

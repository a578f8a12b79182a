"""The keyspaces and their tables, and how older ones become present ones.

The row `version` of the table `esclusa` counts the steps of the ladder that a keyspace has taken. A step is never changed
once released, and can be taken twice: several processes may start at once.

- `records`: one partition a request. A row's write timestamp is its rank with the sign turned, so that of two rows of one
  name the lower rank is the newer one for every replica; a row that was added bears the ballot of its lightweight
  transaction; a forgotten partition bears a tombstone above both (`records.FORGOTTEN`). Time windows would be built from
  these timestamps, which are no times, so the table is compacted by size, and files that are mostly expired by themselves.
- `keys`, in a keyspace of its own that leaves no trace in the commit log: a segment of that would hold secrets until it is
  full, which nobody can hurry. Memory is flushed to files every `FLUSH_MS` ms instead, so that a key is as safe from a node's
  death as what the commit log, synced every ten seconds, would protect. Any two files are at once made one, without what is
  dead: keys are few and small, one a process and ten seconds. So a delete, once it is flushed, takes the secret off the
  disk; windows of time, the usual way, kept it more than a minute longer. No grace: a delete can't be undone, since what it
  deletes expires as well.
- `deaths`: which keys die in an hour, so that they can be destroyed and counted; no secrets.

Nodes should keep no hints (`hinted_handoff_enabled: false`; Cassandra has no such setting for a keyspace or a table). A hint
is a copy of what a node that is away misses, in a file on another one, and stays there until that node is back: with all
secrets that were made meanwhile. Nothing here needs hints: what a quorum has, a quorum finds, and reads bring it to whoever
has missed it.

Tables get ids that follow from their names: two processes that make one at the same moment on two nodes make the same.
"""

from __future__ import annotations

import asyncio
import re
import textwrap
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from esclusa.engines.cassandra.errors import OTHER, REFUSED, UNREACHABLE, kind
from esclusa.engines.cassandra.session import Session
from esclusa.engines.cassandra.settings import LONGEST, CassandraSettings
from esclusa.kernel.errors import StorageError, StorageTooNew, StorageUnavailable
from esclusa.ports.upkeep import Made

GRACE = LONGEST + 3_600
"""Seconds that tombstones are kept.

Longer than any row lives, so that the tombstone of a forgotten key outlives every row of it, whenever that one lands, and on
every replica, though it were away when the key was forgotten. What has expired stays on the disks for as long, too:
unreadable, since its key is gone.
"""
PATIENCE = 30.0
"""Seconds that a change of the schema may take: all nodes have to agree on it."""
FLUSH_MS = 2_000
"""Milliseconds between two flushes of keys to their files, at most."""

LADDER: tuple[tuple[str, ...], ...] = (
    (
        f"""CREATE TABLE IF NOT EXISTS {{keyspace}}.records (
            key blob, name text, rank bigint, expires bigint, head blob, body blob, PRIMARY KEY (key, name))
            WITH ID = {{id:records}} AND gc_grace_seconds = {GRACE} AND compaction = {{
            'class': 'SizeTieredCompactionStrategy', 'tombstone_threshold': '0.2',
            'tombstone_compaction_interval': '3600', 'unchecked_tombstone_compaction': 'true'}}""",
        f"""CREATE TABLE IF NOT EXISTS {{keyspace}}_keys.keys (id blob PRIMARY KEY, secret blob, dies bigint)
            WITH ID = {{id:keys}} AND gc_grace_seconds = 0 AND memtable_flush_period_in_ms = {FLUSH_MS} AND compaction = {{
            'class': 'SizeTieredCompactionStrategy', 'min_threshold': '2', 'tombstone_threshold': '0.01',
            'tombstone_compaction_interval': '1', 'unchecked_tombstone_compaction': 'true'}}""",
        """CREATE TABLE IF NOT EXISTS {keyspace}.deaths (hour bigint, dies bigint, id blob, PRIMARY KEY (hour, dies, id))
            WITH ID = {id:deaths} AND gc_grace_seconds = 0""",
    ),
)
_VERSIONS = """CREATE TABLE IF NOT EXISTS {keyspace}.esclusa (name text PRIMARY KEY, value bigint)
    WITH ID = {id:esclusa} AND gc_grace_seconds = 0"""
TABLES_CALLED = "tables"
"""All of them, to whoever reads what was made."""
KEYSPACES = {"{keyspace}": True, "{keyspace}_keys": False}
"""Whether what is written to them goes through the commit log."""
REPLICATION = "SELECT keyspace_name, replication FROM system_schema.keyspaces"
TABLES = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = '{keyspace}'"
VERSION = "SELECT value FROM {keyspace}.esclusa WHERE name = 'version'"
_TAKEN = "INSERT INTO {keyspace}.esclusa (name, value) VALUES ('version', {number}) USING TIMESTAMP {number}"
"""The number is the timestamp too: the highest wins, whoever writes it and when."""
NODE_SETTINGS = "system_views.settings"
"""Where a node shows its configuration; `esclusa check --connect` looks at it."""
RIGHTS = ("SELECT", "MODIFY")
"""What this program does with its keyspaces once they are there."""


class Schema:
    """The keyspaces of a session."""

    def __init__(self, session: Session, ladder: tuple[tuple[str, ...], ...] = LADDER) -> None:
        self._session = session
        self._ladder = ladder
        self._keyspace = session.settings.keyspace
        self._made: set[str] = set()

    def made(self) -> list[Made]:
        """What there has to be, and whether it was made here since this was last asked."""
        made, self._made = self._made, set()
        return [Made(what, new=what in made) for what in (*map(_called, keyspaces(self._session.settings)), TABLES_CALLED)]

    async def climb(self) -> None:
        """Make what is absent, take the steps that have not been taken.

        `StorageTooNew` where a newer version has been; `StorageError` for a keyspace with another replication, and with the
        remedy for what is absent and this program's user may not make.
        """
        now = asyncio.get_running_loop().time
        last = now() + self._session.settings.timeout
        while True:
            try:
                return await self._climb()
            except StorageUnavailable as error:
                # What another makes is listed a moment before it can be used, and a node fails where two make the same.
                if error.__cause__ is None or kind(error.__cause__) not in {OTHER, UNREACHABLE} or now() > last:
                    raise

    async def _climb(self) -> None:
        query, settings = self._session.query, self._session.settings
        await self._make_keyspaces(await self._datacentre())
        if ("esclusa",) not in await query(TABLES):
            await self._make(TABLES_CALLED, tabled(_VERSIONS, settings))
        found = await query(VERSION)
        version = int(found[0][0]) if found else 0
        if version > len(self._ladder):
            what = too_new(self._keyspace, version, len(self._ladder))
            raise StorageTooNew(f"{what}: run that version, or give this one another keyspace")
        for number, step in enumerate(self._ladder[version:], version + 1):
            for statement in (*step, taken(number)):
                await self._make(TABLES_CALLED, tabled(statement, settings))

    async def _datacentre(self) -> str:
        """The one that this process uses; `StorageError` where that is not said and there are several."""
        if self._session.settings.datacentre:
            return self._session.settings.datacentre
        names = sorted({node.datacentre for node in await nodes(self._session)})
        if len(names) > 1:
            raise StorageError(f"the cluster has several datacentres: set cassandra.datacentre, one of {', '.join(names)}")
        return names[0]

    async def _make_keyspaces(self, datacentre: str) -> None:
        """Make those that are absent; `StorageError` where one has not the replication that the settings say."""
        there = dict(await self._session.query(REPLICATION))
        for name, statement in keyspaces(self._session.settings, datacentre).items():
            if name in there:
                self._check(name, dict(there[name]), datacentre)
            else:
                await self._make(_called(name), statement)

    def _check(self, name: str, replication: dict[str, str], datacentre: str) -> None:
        replicas, wanted = replicas_in(datacentre, replication), self._session.settings.replication
        if replicas != wanted:
            raise StorageError(
                f"the keyspace {name} has {replicas} replicas in the datacentre {datacentre}, but cassandra.replication is"
                f" {wanted}: alter the keyspace and repair it, or say here what is there (1, or 3 and more)"
            )

    async def _make(self, what: str, statement: str) -> None:
        """Make something; `StorageError` with the remedy where this program's user may not."""
        try:
            await self._session.query(statement, seconds=PATIENCE)
        except StorageUnavailable as error:
            if error.__cause__ is not None and kind(error.__cause__) == REFUSED:
                raise StorageError(
                    f"Cassandra: not there as it has to be, and this program's user may not make it: {what}. Have somebody who"
                    ' may make keyspaces run what "esclusa setup --print" says'
                ) from error
            raise
        self._made.add(what)


def script(settings: CassandraSettings, ladder: tuple[tuple[str, ...], ...] = LADDER) -> str:
    """The statements that make the keyspaces with all their tables, and give this program's user its rights.

    `StorageError` where the settings name no datacentre: it stands in the statements.
    """
    if not settings.datacentre:
        raise StorageError("cassandra.datacentre is not set, and stands in the statements: set it")
    statements = [
        *keyspaces(settings, settings.datacentre).values(),
        _VERSIONS,
        *(statement for step in ladder for statement in step),
        taken(len(ladder)),
    ]
    lines = [
        "-- Apache Cassandra: keyspaces and tables. To be run by somebody who may make them: cqlsh --file FILE",
        *(_broken(f"{tabled(statement, settings)};") for statement in statements),
    ]
    if settings.username:
        user = quoted(settings.username)
        lines += ["", f"-- Rights of {settings.username}, for clusters that ask for any."]
        lines += [f"GRANT {right} ON KEYSPACE {name} TO {user};" for name in keyspaces(settings) for right in RIGHTS]
        lines.append(f"GRANT SELECT ON {NODE_SETTINGS} TO {user};")
    return "\n".join(lines) + "\n"


def _broken(statement: str) -> str:
    """In lines that can be read; nothing in quotes has a space in it."""
    return textwrap.fill(statement, 110, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def keyspaces(settings: CassandraSettings, datacentre: str = "") -> dict[str, str]:
    """The statement that makes it in `datacentre`, by the name of each keyspace."""
    if "'" in datacentre:
        raise StorageError(f"cassandra.datacentre can't be {datacentre}: no datacentre has a quote in its name")
    replication = f"{{'class': 'NetworkTopologyStrategy', '{datacentre}': {settings.replication}}}"
    names = {pattern.replace("{keyspace}", settings.keyspace): durable for pattern, durable in KEYSPACES.items()}
    return {
        name: f"CREATE KEYSPACE IF NOT EXISTS {name} WITH replication = {replication} AND durable_writes = {str(durable).lower()}"
        for name, durable in names.items()
    }


def tables(settings: CassandraSettings) -> set[tuple[str, str]]:
    """Every table, after its keyspace."""
    statements = (_VERSIONS, *(statement for step in LADDER for statement in step))
    made = (re.search(r"CREATE TABLE IF NOT EXISTS (\w+)\.(\w+)", tabled(each, settings)) for each in statements)
    return {(found[1], found[2]) for found in made if found}


def tabled(statement: str, settings: CassandraSettings) -> str:
    """A statement of the ladder, for the keyspace of `settings`."""

    def id(table: re.Match[str]) -> str:
        return str(UUID(bytes=blake2b(f"{settings.keyspace}.{table[1]}".encode(), digest_size=16).digest()))

    return " ".join(re.sub(r"{id:(\w+)}", id, statement).replace("{keyspace}", settings.keyspace).split())


def taken(number: int) -> str:
    """The statement by which a keyspace remembers that it has taken the step `number`."""
    return _TAKEN.replace("{number}", str(number))


def replicas_in(datacentre: str, replication: dict[str, str]) -> int:
    """How many replicas a keyspace with this `replication` has there."""
    everywhere = replication["class"].endswith("SimpleStrategy")
    return int(replication.get("replication_factor" if everywhere else datacentre, "0").partition("/")[0])


class KnownNode(NamedTuple):
    """A node, as another one knows it."""

    address: str
    """For clients, without the port, which is the same for all."""
    datacentre: str
    version: str


async def nodes(session: Session) -> list[KnownNode]:
    """Every node that the cluster knows of."""
    found = [
        await session.query(f"SELECT rpc_address, data_center, release_version FROM system.{table}")  # noqa: S608 - these two
        for table in ("local", "peers")
    ]
    return [KnownNode(*map(str, row)) for rows in found for row in rows]


def too_new(keyspace: str, version: int, known: int) -> str:
    """What to say of a keyspace that a newer version has written."""
    return f"the keyspace {keyspace} was written by a newer version of this program (format {version}, this one knows {known})"


def quoted(role: str) -> str:
    """The name of a role as it stands in a statement."""
    return '"' + role.replace('"', '""') + '"'


def _called(keyspace: str) -> str:
    return f"keyspace {keyspace}"

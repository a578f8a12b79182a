"""The keyspaces and their tables, and how older ones become present ones.

The row `version` of the table `esclusa` counts the steps of the ladder that a keyspace has taken. A step is never changed
once released, and can be taken twice: several processes may start at once.

- `records`: one partition a request. A row's write timestamp is its rank with the sign turned, so that of two rows of one
  name the lower rank is the newer one for every replica; a row that was added bears the ballot of its lightweight
  transaction; a forgotten partition bears a tombstone above both (`records.FORGOTTEN`). Time windows would be built from
  these timestamps, which are no times, so the table is compacted by size, and files that are mostly expired by themselves.
- `keys`, in a keyspace of its own that leaves no trace in the commit log: a segment of that would hold secrets until it is
  full, which nobody can hurry. Memory is flushed to files every `FLUSH` ms instead, so that a key is as safe from a node's
  death as what the commit log, synced every ten seconds, would protect. Any two files are at once made one, without what is
  dead: keys are few and small, one a process and ten seconds. So a delete, once it is flushed, takes the secret off the
  disk; windows of time, the usual way, kept it more than a minute longer. No grace: there is no hint of a secret on other
  nodes' disks, and a delete can't be undone, since what it deletes expires as well.
- `deaths`: which keys die in an hour, so that they can be destroyed and counted; no secrets.

Tables get ids that follow from their names: two processes that make one at the same moment on two nodes make the same.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from uuid import UUID

from esclusa.engines.cassandra.errors import OTHER, UNREACHABLE, kind
from esclusa.engines.cassandra.session import Session
from esclusa.engines.cassandra.settings import LONGEST
from esclusa.kernel.errors import StorageError, StorageTooNew, StorageUnavailable

GRACE = LONGEST + 3_600
"""Seconds that tombstones are kept.

Longer than hints (3 hours), so that a replica that comes back learns of a tombstone before the others have dropped it; and
longer than any row lives, so that the tombstone of a forgotten key outlives every row of it, whenever that one lands. What
has expired stays on the disks for as long, too: unreadable, since its key is gone.
"""
PATIENCE = 30.0
"""Seconds that a change of the schema may take: all nodes have to agree on it."""
AGAIN = 20
"""Times that it is tried again where a node fails at it, at once: milliseconds after each other."""
FLUSH = 2_000
"""Milliseconds between two flushes of keys to their files, at most."""

LADDER: tuple[tuple[str, ...], ...] = (
    (
        f"""CREATE TABLE IF NOT EXISTS {{keyspace}}.records (
            key blob, name text, rank bigint, expires bigint, head blob, body blob, PRIMARY KEY (key, name))
            WITH ID = {{id:records}} AND gc_grace_seconds = {GRACE} AND compaction = {{
            'class': 'SizeTieredCompactionStrategy', 'tombstone_threshold': '0.2',
            'tombstone_compaction_interval': '3600', 'unchecked_tombstone_compaction': 'true'}}""",
        f"""CREATE TABLE IF NOT EXISTS {{keyspace}}_keys.keys (id blob PRIMARY KEY, secret blob, dies bigint)
            WITH ID = {{id:keys}} AND gc_grace_seconds = 0 AND memtable_flush_period_in_ms = {FLUSH} AND compaction = {{
            'class': 'SizeTieredCompactionStrategy', 'min_threshold': '2', 'tombstone_threshold': '0.01',
            'tombstone_compaction_interval': '1', 'unchecked_tombstone_compaction': 'true'}}""",
        """CREATE TABLE IF NOT EXISTS {keyspace}.deaths (hour bigint, dies bigint, id blob, PRIMARY KEY (hour, dies, id))
            WITH ID = {id:deaths} AND gc_grace_seconds = 0""",
    ),
)
_VERSIONS = """CREATE TABLE IF NOT EXISTS {keyspace}.esclusa (name text PRIMARY KEY, value bigint)
    WITH ID = {id:esclusa} AND gc_grace_seconds = 0"""
KEYSPACES = {"{keyspace}": "true", "{keyspace}_keys": "false"}
"""Whether what is written to them goes through the commit log."""
_REPLICATION = "SELECT keyspace_name, replication FROM system_schema.keyspaces"
_TABLES = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = '{keyspace}' AND table_name = 'esclusa'"
_VERSION = "SELECT value FROM {keyspace}.esclusa WHERE name = 'version'"
_TAKEN = "INSERT INTO {keyspace}.esclusa (name, value) VALUES ('version', ?) USING TIMESTAMP ?"
"""The number is the timestamp too: the highest wins, whoever writes it and when."""


class Schema:
    """The keyspaces of a session."""

    def __init__(self, session: Session, ladder: tuple[tuple[str, ...], ...] = LADDER) -> None:
        self._session = session
        self._ladder = ladder
        self._keyspace = session.settings.keyspace

    async def climb(self) -> None:
        """Make what is absent, take the steps that have not been taken.

        `StorageTooNew` where a newer version has been; `StorageError` for a keyspace with another replication.
        """
        for _ in range(AGAIN):
            try:
                return await self._climb()
            except StorageUnavailable as error:
                # What another makes is listed a moment before it can be used, and a node fails where two make the same.
                if error.__cause__ is None or kind(error.__cause__) not in {OTHER, UNREACHABLE}:
                    raise
        return await self._climb()

    async def _climb(self) -> None:
        query = self._session.query
        datacentre = await self._datacentre()
        await self._make_keyspaces(datacentre)
        if not await query(_TABLES):
            await self._step(_VERSIONS)
        found = await query(_VERSION)
        version = int(found[0][0]) if found else 0
        if version > len(self._ladder):
            raise StorageTooNew(
                f"the keyspace {self._keyspace} was written by a newer version of this program (format {version}, this one"
                f" knows {len(self._ladder)}): run that version, or give this one another keyspace"
            )
        for number, step in enumerate(self._ladder[version:], version + 1):
            for statement in step:
                await self._step(statement)
            taken = await self._session.prepare(_TAKEN)
            await self._session.execute(taken, (number, number))

    async def _datacentre(self) -> str:
        """The one that this process uses; `StorageError` where that is not said and there are several."""
        if self._session.settings.datacentre:
            return self._session.settings.datacentre
        found = [await self._session.query(f"SELECT data_center FROM system.{table}") for table in ("local", "peers")]  # noqa: S608 - these two
        names = sorted({str(name) for rows in found for (name,) in rows})
        if len(names) > 1:
            raise StorageError(f"the cluster has several datacentres: set cassandra.datacentre, one of {', '.join(names)}")
        return names[0]

    async def _make_keyspaces(self, datacentre: str) -> None:
        """Make those that are absent; `StorageError` where one has not the replication that the settings say."""
        there = dict(await self._session.query(_REPLICATION))
        for pattern, durable in KEYSPACES.items():
            name = pattern.replace("{keyspace}", self._keyspace)
            if name in there:
                self._check(name, dict(there[name]), datacentre)
                continue
            if "'" in datacentre:
                raise StorageError(f"cassandra.datacentre can't be {datacentre}: no datacentre has a quote in its name")
            replication = f"{{'class': 'NetworkTopologyStrategy', '{datacentre}': {self._session.settings.replication}}}"
            await self._session.query(
                f"CREATE KEYSPACE IF NOT EXISTS {name} WITH replication = {replication} AND durable_writes = {durable}",
                seconds=PATIENCE,
            )

    def _check(self, name: str, replication: dict[str, str], datacentre: str) -> None:
        everywhere = replication["class"].endswith("SimpleStrategy")
        replicas = int(replication.get("replication_factor" if everywhere else datacentre, "0").partition("/")[0])
        if replicas != (wanted := self._session.settings.replication):
            raise StorageError(
                f"the keyspace {name} has {replicas} replicas in the datacentre {datacentre}, but cassandra.replication is"
                f" {wanted}: alter the keyspace and repair it, or say here what is there (1, or 3 and more)"
            )

    async def _step(self, statement: str) -> None:
        await self._session.query(re.sub(r"{id:(\w+)}", self._id, statement), seconds=PATIENCE)

    def _id(self, table: re.Match[str]) -> str:
        return str(UUID(bytes=blake2b(f"{self._keyspace}.{table[1]}".encode(), digest_size=16).digest()))

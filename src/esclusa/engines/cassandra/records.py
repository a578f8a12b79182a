"""Records on Cassandra: one partition a key.

What makes it right without a clock: a row is put with a write timestamp that is its rank with the sign turned, all
columns together, so every replica agrees on which row wins in whatever order they come; a forgotten partition bears a
tombstone whose timestamp is above every rank's and every ballot's. A name that is added is decided by a lightweight
transaction (Paxos): one that timed out counts as not done.

Why reads look twice where there are several replicas: a quorum's answers are of two moments, and a row that is on its way
may be seen where another, acknowledged meanwhile, is not yet. Two looks, one after the other, that find the same rows are
the rows of the moment between them: what the first saw is on a quorum by then, and what was acknowledged by then the
second has seen. (Lamport's and Afek's double collect.) The first look only asks for names and ranks.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Collection, Coroutine, Iterator, Sequence
from typing import Any, TypeVar

from esclusa.engines.cassandra.session import CONTENDED, Prepared, Session, failed, tuples
from esclusa.engines.cassandra.settings import LONGEST
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed, StorageError, StorageUnavailable
from esclusa.ports.records import Row

T = TypeVar("T")

NAME = 200
"""Characters of a row's name, at most."""
RANKS = 1 << 60
"""A rank is between this and its negative."""
FORGOTTEN = 1 << 61
"""The write timestamp of a forgotten partition: above every rank, and above every ballot for the next 70,000 years."""
BATCH = 64
"""Rows in one statement."""
BATCH_BYTES = 1 << 20
"""Bytes in one statement, unless one row alone has more."""
FEW = 16
"""Names up to which bodies are fetched by name; of more, all bodies are."""
LONGEST_MS = (LONGEST + 60) * 1000
"""Milliseconds by which an expiry may be off, at most: clocks differ."""
TRIES = 8
"""To add a row in place of one that has expired, and that others replace as well."""
_INSERT = "INSERT INTO {keyspace}.records (key, name, rank, expires, head, body) VALUES (?, ?, ?, ?, ?, ?)"
_REPLACE = (
    "UPDATE {keyspace}.records USING TTL ? SET rank = ?, expires = ?, head = ?, body = ? WHERE key = ? AND name = ?"
    " IF expires = ?"
)
_WHERE = "FROM {keyspace}.records WHERE key = ?"


class CassandraRecords:
    """`esclusa.ports.records.Records` over a session, by one process's clock. Usable once `prepare` has been awaited."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._closed = False
        self._twice = session.settings.replication > 1
        self._put: Prepared
        self._add: Prepared
        self._replace: Prepared
        self._serial: Prepared
        self._forget: Prepared
        self._ranks: Prepared
        self._heads: Prepared
        self._whole: Prepared
        self._some: Prepared

    async def prepare(self) -> None:
        """Have the statements prepared. `StorageUnavailable`."""
        prepare = self._session.prepare
        self._put = await prepare(f"{_INSERT} USING TIMESTAMP ? AND TTL ?")
        self._add = await prepare(f"{_INSERT} IF NOT EXISTS USING TTL ?")
        self._replace = await prepare(_REPLACE)
        self._serial = await prepare(f"SELECT name, head, body, expires, rank {_WHERE} AND name = ?", serial=True)
        self._ranks = await prepare(f"SELECT name, rank {_WHERE}")
        self._heads = await prepare(f"SELECT name, head, expires, rank {_WHERE}")
        self._whole = await prepare(f"SELECT name, head, body, expires, rank {_WHERE}")
        self._some = await prepare(f"SELECT name, rank, body {_WHERE} AND name IN ?")
        self._forget = await prepare("DELETE FROM {keyspace}.records USING TIMESTAMP ? WHERE key = ?")

    # ---- writing

    def put(self, key: bytes, rows: Sequence[Row]) -> Future[None]:
        """Write `rows`, `BATCH` rows or `BATCH_BYTES` in a statement, each by its rank."""
        now, size = self._clock.millis(), 0
        values: list[tuple[Any, ...]] = []
        for row in rows:
            _check(row)
            if row.expires > now + LONGEST_MS:
                return failed(StorageError(_TOO_LONG))
            if row.expires > now:
                values.append((key, row.name, row.rank, row.expires, row.head, row.body, -row.rank, _ttl(row, now)))
                size += len(row.head) + len(row.body)
        return self._run(size, self._write(values, size))

    async def _write(self, values: Sequence[Sequence[Any]], size: int) -> None:
        if len(values) == 1:
            await self._session.execute(self._put, values[0])
        elif len(values) <= BATCH and size <= BATCH_BYTES:
            if values:
                await self._session.together(self._put, values)
        else:
            parts = [self._session.together(self._put, part) for part in _parts(values)]
            failures = [result for result in await asyncio.gather(*parts, return_exceptions=True) if result is not None]
            if failures:
                raise failures[0]

    def add(self, key: bytes, row: Row) -> Future[Row]:
        """Put if absent; the row that is in place. What is in place and has expired is replaced."""
        _check(row)
        if row.expires > self._clock.millis() + LONGEST_MS:
            return failed(StorageError(_TOO_LONG))
        return self._run(len(row.head) + len(row.body), self._put_if_absent(key, row))

    async def _put_if_absent(self, key: bytes, row: Row) -> Row:
        columns = row.rank, row.expires, row.head, row.body
        for _ in range(TRIES):
            now = self._clock.millis()
            if row.expires <= now:
                return await self._in_place(key, row)
            added = await self._transact(self._add, key, row.name, *columns, _ttl(row, now))
            if added["[applied]"]:
                return row
            if added["expires"] > self._clock.millis():
                return Row(row.name, added["head"], added["body"], added["expires"], added["rank"])
            # It has expired by this clock, and the servers let it go up to two seconds later.
            replaced = await self._transact(self._replace, _ttl(row, now), *columns, key, row.name, added["expires"])
            if replaced["[applied]"]:
                return row
        raise StorageUnavailable("others change this row all the time")

    async def _transact(self, prepared: Prepared, *values: Any) -> dict[str, Any]:
        """Whether it was applied (`[applied]`), and the row that stood against it.

        One that nobody knows the end of is tried again: if it was applied, it is its own row that stands against it now.
        """
        found: dict[str, Any] = (await self._session.execute(prepared, values, attempts=CONTENDED)).first().as_dict()
        return found

    async def _in_place(self, key: bytes, row: Row) -> Row:
        """The row that is in place of `row`, which has expired."""
        found = [Row(*values) for values in tuples(await self._session.execute(self._serial, (key, row.name)))]
        return found[0] if found and found[0].expires > self._clock.millis() else row

    def forget(self, key: bytes, until: int) -> Future[None]:
        """Delete all rows of `key`, and accept none for `LONGEST`."""
        if until > self._clock.millis() + LONGEST_MS:
            return failed(StorageError(_TOO_LONG))
        return self._run(0, self._delete(key))

    async def _delete(self, key: bytes) -> None:
        await self._session.execute(self._forget, (FORGOTTEN, key))

    # ---- reading

    def read(self, key: bytes, bodies: bool | Collection[str] = True) -> Future[list[Row]]:
        """All rows of `key` that have not expired, as of one moment; `StorageUnavailable` if there is none to be had."""
        return self._run(0, self._read(key, bodies))

    async def _read(self, key: bytes, bodies: bool | Collection[str]) -> list[Row]:
        names = bodies if isinstance(bodies, bool) else frozenset(bodies)
        if not self._twice:
            found = await self._rows(key, names)
            return self._living(await self._whole_rows(key, names) if found is None else found)
        deadline = self._clock.now() + self._session.settings.timeout
        before = await self._look(self._ranks, key)
        while True:
            found = await self._rows(key, names)
            if found is not None:
                ranks = [(row.name, row.rank) for row in found]
                if before == ranks:
                    return self._living(found)
                before = ranks
            if self._clock.now() >= deadline:
                raise StorageUnavailable("these rows change all the time")

    def _living(self, found: list[Row]) -> list[Row]:
        now = self._clock.millis()
        return [row for row in found if row.expires > now]

    async def _rows(self, key: bytes, bodies: bool | frozenset[str]) -> list[Row] | None:
        """What one look finds; None where the bodies were not those of the heads."""
        if not bodies:
            return [Row(name, head, b"", expires, rank) for name, head, expires, rank in await self._look(self._heads, key)]
        if bodies is True or len(bodies) > FEW:
            return await self._whole_rows(key, bodies)
        # Two statements at once cost less than bodies that nobody asked for. Rows of one name and rank are the same row:
        # where every body is of the rank that its head has, these are the rows of the moment at which the heads were read.
        heads, some = await asyncio.gather(self._look(self._heads, key), self._look(self._some, key, list(bodies)))
        known = {name: (rank, body) for name, rank, body in some}
        made = []
        for name, head, expires, rank in heads:
            of, body = known.get(name, (None, b"")) if name in bodies else (rank, b"")
            if of != rank:
                return None
            made.append(Row(name, head, body, expires, rank))
        return made

    async def _whole_rows(self, key: bytes, bodies: bool | frozenset[str]) -> list[Row]:
        """What one look finds that leaves nothing out, less the bodies that were not asked for."""
        found = [Row(*values) for values in await self._look(self._whole, key)]
        return found if isinstance(bodies, bool) else [row if row.name in bodies else _headed(row) for row in found]

    async def _look(self, prepared: Prepared, *values: Any) -> list[tuple[Any, ...]]:
        return list(tuples(await self._session.execute(prepared, values)))

    # ---- its life

    def _run(self, size: int, work: Coroutine[Any, Any, T]) -> Future[T]:
        if self._closed:
            work.close()
            return failed(Closed("the records are closed"))
        return self._session.run(size, work)

    async def close(self) -> None:
        """Finish the writes at hand and let go."""
        self._closed = True
        await self._session.settled()

    def kill(self) -> None:
        """Die: as close, with nothing finished."""
        self._closed = True


_TOO_LONG = f"Cassandra keeps rows for {LONGEST // 3600} hours at most, so a query's keep can't be longer"


def _check(row: Row) -> None:
    """What can't be kept is not taken."""
    if len(row.name) > NAME:
        raise ValueError(f"a row's name has at most {NAME} characters, this one {len(row.name)}")
    if not -RANKS <= row.rank <= RANKS:
        raise ValueError(f"a rank is between -2**60 and 2**60: {row.rank}")


def _ttl(row: Row, now: int) -> int:
    """Seconds after which the servers let go of it: none of them, before it has expired by this clock."""
    return -((now - row.expires) // 1000) + 1


def _headed(row: Row) -> Row:
    return Row(row.name, row.head, b"", row.expires, row.rank)


def _parts(values: Sequence[Sequence[Any]]) -> Iterator[Sequence[Sequence[Any]]]:
    """`values` in their order, in parts that one statement takes."""
    part: list[Sequence[Any]] = []
    size = 0
    for each in values:
        length = len(each[4]) + len(each[5])
        if part and (len(part) == BATCH or size + length > BATCH_BYTES):
            yield part
            part, size = [], 0
        part.append(each)
        size += length
    if part:
        yield part

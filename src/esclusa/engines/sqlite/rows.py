"""The tables of the records: rows, tombstones, expiries."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from contextlib import closing
from functools import cache
from typing import Any

from esclusa.engines.inprocess.writer import Add, Forget, Put
from esclusa.engines.sqlite.database import Database, insert_all
from esclusa.kernel.clock import Clock
from esclusa.ports.records import Row

STATEMENT_BYTES = 1 << 20
"""Bytes after which a statement takes no further row."""
NOTED = 20_000
"""(expiry, key) pairs remembered as stored already."""
_RECORD = 6
_LOWEST = (
    "ON CONFLICT (key, name) DO UPDATE SET rank = excluded.rank, expires = excluded.expires, head = excluded.head,"
    " body = excluded.body WHERE excluded.rank < rank OR expires <= ?"
)
_WHOLE = "SELECT name, head, body, expires, rank FROM records WHERE key = ? AND expires > ? ORDER BY name"
_ONE = "SELECT name, head, body, expires, rank FROM records WHERE key = ? AND name = ? AND expires > ?"


class Rows:
    """Carries out puts, adds and forgets, and reads. Tombstones are in memory too.

    What a transaction has changed in memory is undone by `reload` where it fails.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._forgotten: dict[bytes, int] = {}
        self._noted: set[tuple[int, bytes]] = set()
        self._values: list[Any] = []
        self._bytes = 0
        self._expiries: list[Any] = []

    def put(self, connection: sqlite3.Connection, write: Put, now: int) -> None:
        """Take rows into the transaction; they are written together with others by `flush`."""
        key = write.key
        if self._forgotten and self._forgotten.get(key, 0) > now:
            return
        for row in write.rows:
            if row.expires > now:
                self._values += (key, row.name, row.rank, row.expires, row.head, row.body)
                self._note(row.expires, key)
                self._bytes += len(row.body) + len(row.head)
                if self._bytes > STATEMENT_BYTES:
                    self.flush(connection, now)

    def add(self, connection: sqlite3.Connection, write: Add, now: int) -> None:
        """Write a row if there is none of its name."""
        self.flush(connection, now)
        key, row = write.key, write.row
        there = connection.execute(_ONE, (key, row.name, now)).fetchone()
        if there is None:
            write.result = row
            self.put(connection, Put(key, [row]), now)
        else:
            write.result = Row(*there)

    def forget(self, connection: sqlite3.Connection, write: Forget, now: int) -> None:
        """Delete the rows of a key and leave a tombstone."""
        self.flush(connection, now)
        connection.execute("DELETE FROM records WHERE key = ?", (write.key,))
        if write.until > max(now, self._forgotten.get(write.key, 0)):
            connection.execute("INSERT OR REPLACE INTO tombstones VALUES (?, ?)", (write.key, write.until))
            self._forgotten[write.key] = write.until
            self._note(write.until, write.key)

    def _note(self, expires: int, key: bytes) -> None:
        expiry = (expires, key)
        if expiry not in self._noted:
            self._noted.add(expiry)
            self._expiries += expiry

    def flush(self, connection: sqlite3.Connection, now: int) -> None:
        """Put what was taken into the transaction."""
        if self._values:
            insert_all(connection, "records", _RECORD, self._values, _LOWEST, (now,))
            self._values.clear()
            self._bytes = 0
        if self._expiries:
            insert_all(connection, "expiries", 2, self._expiries, "ON CONFLICT DO NOTHING")
            self._expiries.clear()

    def publish(self) -> None:
        """The transaction is durable."""
        if len(self._noted) > NOTED:
            self._noted.clear()

    def reload(self) -> None:
        """Take from the database what is there, whatever was remembered."""
        self._values.clear()
        self._expiries.clear()
        self._noted.clear()
        self._bytes = 0
        self._forgotten = dict(self._database.read("SELECT key, until FROM tombstones"))

    def rows(self, key: bytes, bodies: bool | Collection[str]) -> list[Row]:
        """The rows of `key` that have not expired."""
        return self.rows_at(key, bodies, self._clock.millis())

    def rows_at(self, key: bytes, bodies: bool | Collection[str], now: int) -> list[Row]:
        """As `rows`, at a given time."""
        if bodies is True:
            found = self._database.read(_WHOLE, (key, now))
        else:
            names = bodies or ()
            found = self._database.read(_some(len(names)), (*names, key, now))
        return [Row(*row) for row in found]

    def expired(self, before: int, most: int) -> int:
        """Rows and tombstones that expired before `before` and are still there, counted up to about `most`."""
        ((rows,),) = self._database.read(
            "SELECT count(*) FROM (SELECT 1 FROM expiries e JOIN records r ON r.key = e.key AND r.expires = e.expires"
            " WHERE e.expires < ? LIMIT ?)",
            (before, most),
        )
        return int(rows) + sum(until < before for until in self._forgotten.values())

    def sweep(self, before: int, most: int, most_bytes: int) -> int:
        """Delete up to `most` rows and tombstones that expired before `before`; how many. One transaction.

        It is over as soon as rows of `most_bytes` have gone.
        """
        deleted = size = 0
        lifted = []
        with self._database.transaction() as connection:
            while deleted < most and size < most_bytes:
                expiry = connection.execute("SELECT expires, key FROM expiries WHERE expires < ? LIMIT 1", (before,)).fetchone()
                if expiry is None:
                    break
                key = expiry[1]
                names, length = _oldest(connection, key, before, most - deleted, most_bytes - size)
                connection.executemany("DELETE FROM records WHERE key = ? AND name = ?", [(key, name) for name in names])
                deleted += len(names)
                size += length
                if deleted < most and size < most_bytes:  # all of them
                    connection.execute("DELETE FROM expiries WHERE expires = ? AND key = ?", expiry)
                    if self._forgotten.get(key, before) < before:
                        connection.execute("DELETE FROM tombstones WHERE key = ?", (key,))
                        lifted.append(key)
        for key in lifted:
            self._forgotten.pop(key, None)
        return deleted + len(lifted)


@cache
def _some(bodies: int) -> str:
    """The rows of a key, with the bodies of so many names."""
    names = ",".join("?" * bodies)
    body = f"CASE WHEN name IN ({names}) THEN body ELSE x'' END"
    return f"SELECT name, head, {body}, expires, rank FROM records WHERE key = ? AND expires > ? ORDER BY name"  # noqa: S608 - names are parameters


def _oldest(connection: sqlite3.Connection, key: bytes, before: int, most: int, most_bytes: int) -> tuple[list[str], int]:
    """Names of rows of `key` that expired before `before`, up to `most` and about `most_bytes`; and their size."""
    names: list[str] = []
    size = 0
    found = connection.execute(
        "SELECT name, length(head) + length(body) FROM records WHERE key = ? AND expires < ? LIMIT ?", (key, before, most)
    )
    with closing(found):
        for name, length in found:
            names.append(name)
            size += length
            if size >= most_bytes:
                break
    return names, size

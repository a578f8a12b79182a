"""The connection: opened, used in transactions, mended after a failure."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from esclusa.engines.sqlite import schema
from esclusa.engines.sqlite.errors import counter, kind, unavailable
from esclusa.kernel.errors import Closed
from esclusa.kernel.instrument import Instrument

PAGE = 8192
"""Bytes of a page: most rows then fit into one."""
PATIENCE = 0.2
"""Seconds to wait for another program that looks into the file."""
STATEMENTS = 512
"""Prepared statements kept: one for every number of rows that an INSERT has."""
AT_ONCE = 64
"""Rows in one INSERT, at most."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection in WAL mode that checkpoints only when told to."""
    connection = sqlite3.connect(
        path, timeout=PATIENCE, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS
    )
    try:
        connection.execute(f"PRAGMA page_size = {PAGE}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA temp_store = MEMORY")
    except BaseException:
        connection.close()
        raise
    return connection


class Database:
    """One connection for all reads and writes, used on the event loop's thread. Errors leave it as `StorageUnavailable`."""

    def __init__(self, instrument: Instrument) -> None:
        self._errors = counter(instrument)
        self._path: Path | None = None
        self._connection: sqlite3.Connection | None = None
        self.doubtful = False
        """A transaction has failed, and what is remembered of the data must be read again."""

    def open(self, path: Path) -> None:
        """Open and, where it is of an older version, migrate; `StorageTooNew` where it is of a newer one."""
        with self._translated():
            connection = connect(path)
            try:
                schema.climb(connection)
            except BaseException:
                connection.close()
                raise
        self._path, self._connection = path, connection

    def close(self) -> None:
        """Let go."""
        self._path = None
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            self._errors.add(kind(error))
            raise unavailable(error) from error

    def _connected(self) -> sqlite3.Connection:
        if self._path is None:
            raise Closed("the storage is not open")
        if self._connection is None:
            self._connection = connect(self._path)
        return self._connection

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of a SELECT."""
        with self._translated():
            return self._connected().execute(sql, parameters).fetchall()

    def stream(self, sql: str, parameters: Sequence[Any] = ()) -> Generator[Any, None, None]:
        """The rows of a SELECT one by one. Close the iterator where it isn't exhausted."""
        with self._translated():
            cursor = self._connected().execute(sql, parameters)
            try:
                yield from cursor
            finally:
                cursor.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside is durable on leaving, or it raised and nothing of it is known to be."""
        with self._translated():
            connection = self._connected()
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                self.doubtful = True
                self._undo(connection)
                raise

    def _undo(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._drop()


@cache
def insert(into: str, columns: int, rows: int, rest: str = "") -> str:
    """`INSERT` of several rows in one statement: run it once, not once a row."""
    row = "(" + ",".join("?" * columns) + ")"
    return f"INSERT INTO {into} VALUES {','.join([row] * rows)} {rest}"  # noqa: S608 - of this package's own words


def insert_all(
    connection: sqlite3.Connection, into: str, columns: int, values: list[Any], rest: str = "", tail: tuple[Any, ...] = ()
) -> None:
    """Insert `values`, row after row in one flat list, in as few statements as can be. `tail`: the parameters of `rest`."""
    step = AT_ONCE * columns
    for first in range(0, len(values), step):
        some = values[first : first + step]
        connection.execute(insert(into, columns, len(some) // columns, rest), (*some, *tail))

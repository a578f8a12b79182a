"""The records of an engine that lives in one process."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Collection, Sequence
from typing import Protocol, TypeVar

from esclusa.engines.inprocess.futures import done, failed
from esclusa.engines.inprocess.writer import Add, Forget, Put, Read, Write, Writer
from esclusa.kernel.errors import Closed, StorageError
from esclusa.ports.records import Row

T = TypeVar("T")

NAME = 200
"""Characters of a row's name, at most."""
WHOLE = 1 << 63
"""Whole numbers have 64 bits, one of them for the sign."""


class RowStore(Protocol):
    """Where an engine has its rows."""

    def rows(self, key: bytes, bodies: bool | Collection[str]) -> list[Row]:
        """All rows of `key` that have not expired, in the order of their names; a `StorageError` if they can't be read."""


class InProcessRecords:
    """`esclusa.ports.records.Records` over the rows of an engine, for one process.

    A read is done at once, unless a write of its key waits to be carried out: then it takes its turn behind it.
    """

    def __init__(self, store: RowStore, writer: Writer) -> None:
        self._store = store
        self._writer = writer
        self._writing: set[bytes] = set()
        """Keys with writes in the queue; some more when the queue has been carried out meanwhile."""
        self._closed = False

    def put(self, key: bytes, rows: Sequence[Row]) -> Future[None]:
        """Write `rows`, all or none, each by its rank."""
        for row in rows:
            _check(row)
        return self._submit(key, Put(key, rows))

    def add(self, key: bytes, row: Row) -> Future[Row]:
        """Put if absent; the row that is in place."""
        _check(row)
        return self._submit(key, Add(key, row))

    def forget(self, key: bytes, until: int) -> Future[None]:
        """Delete all rows of `key`, and accept none until `until`."""
        return self._submit(key, Forget(key, until))

    def read(self, key: bytes, bodies: bool | Collection[str] = True) -> Future[list[Row]]:
        """All rows of `key` that have not expired, as of one moment."""
        if self._writer.waiting and key in self._writing:
            return self._submit(key, Read(key, bodies))
        if self._closed:
            return failed(Closed("the records are closed"))
        try:
            return done(self._store.rows(key, bodies))
        except StorageError as error:
            return failed(error)

    def _submit(self, key: bytes, write: Write[T]) -> Future[T]:
        if self._closed:
            return failed(Closed("the records are closed"))
        if not self._writer.waiting:
            self._writing.clear()
        self._writing.add(key)
        return self._writer.submit(write)

    async def close(self) -> None:
        """Finish the writes at hand and let go."""
        self._closed = True
        await self._writer.settled()

    def kill(self) -> None:
        """Die: as close, with nothing finished."""
        self._closed = True


def _check(row: Row) -> None:
    """What can't be stored must not spoil the group that it would be written with."""
    if len(row.name) > NAME:
        raise ValueError(f"a row's name has at most {NAME} characters, this one {len(row.name)}")
    if not (-WHOLE <= row.rank < WHOLE and row.expires < WHOLE):
        raise ValueError(f"a rank and a time have 64 bits: {row.rank}, {row.expires}")

"""Records: rows that expire, grouped by key.

All rows of one key stand in one partition, so that they are read and written together. Which of two rows with the same
key and name wins is decided by `rank` alone, never by time of arrival: the lowest. That makes a repeated, delayed or
reordered write harmless.

What callers owe, because networked engines can't do without:

- Two rows of one key, name and rank mean the same, and the head of the one goes with the body of the other.
- A name is written either by `put` or by `add`.
- Of two rows that are put under one name, the one with the lower rank does not expire earlier, or is the last.
- Nothing that is forgotten is written anew: no row of that key expires after `until`.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row. `head` and `body` are written and replaced together."""

    name: str
    """Unique within its key; at most 200 characters."""
    head: bytes
    body: bytes
    expires: int
    """Milliseconds since the epoch. From then on it is not read, and it is deleted soon after."""
    rank: int = 0
    """Of two rows the one with the lower rank wins. Between -2**60 and 2**60."""


class Records(Protocol):
    """Rows by key. A write whose future failed or was cancelled may still land, at any later moment."""

    def put(self, key: bytes, rows: Sequence[Row]) -> Future[None]:
        """Write `rows`, all or none; each only if no row of its name has the same or a lower rank.

        Done when durable. Rows that have expired are not written. At most 64 rows or 1 MiB go in one statement of an
        engine; more are split, and done means that all are durable.
        """

    def add(self, key: bytes, row: Row) -> Future[Row]:
        """Put if absent; the row that is in place: this one, or the one that was there before. Linearizable."""

    def read(self, key: bytes, bodies: bool | Collection[str] = True) -> Future[list[Row]]:
        """All rows of `key` that have not expired, in the order of their names, as of one moment.

        `bodies`: whether bodies come along, or the names of the rows whose bodies do; the others' are `b""`. A read
        sees every write acknowledged before it began.
        """

    def forget(self, key: bytes, until: int) -> Future[None]:
        """Delete all rows of `key`; until `until` (ms since the epoch) no write to it, earlier or later, has effect.

        Acknowledged: no read that begins afterwards sees a row, whatever `add` answers.
        """

    async def close(self) -> None:
        """Finish the writes at hand and let go."""

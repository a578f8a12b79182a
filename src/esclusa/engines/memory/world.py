"""What a memory holds: topics, rows, tombstones, secrets; shared by the processes on it."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence

from esclusa.engines.inprocess.topics import Topics
from esclusa.ports.records import Row

CAPACITY = 256 << 20
"""Bytes of messages and rows that a memory takes, unless told otherwise."""


class World:
    """The data. Times are milliseconds since the epoch, by the clock of the process that asks (`now`).

    `capacity`: bytes of messages and rows; beyond, writes fail with `StorageUnavailable`.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self.bytes = 0
        """Of messages and rows."""
        self.topics = Topics()
        self.secrets: dict[bytes, tuple[bytes, int]] = {}
        self._rows: dict[bytes, dict[str, Row]] = {}
        self._forgotten: dict[bytes, int] = {}
        self._expiries: list[tuple[int, bytes]] = []
        self._noted: set[tuple[int, bytes]] = set()

    def rows(self, key: bytes, bodies: bool | Collection[str], now: int) -> list[Row]:
        """The rows of `key` that have not expired, in the order of their names."""
        return [
            row
            if bodies is True or (bodies is not False and name in bodies)
            else Row(name, row.head, b"", row.expires, row.rank)
            for name, row in sorted(self._rows.get(key, {}).items())
            if row.expires > now
        ]

    def put(self, key: bytes, rows: Sequence[Row], now: int) -> None:
        """Write each of `rows` that has not expired, unless one of its name has the same or a lower rank."""
        if self._forgotten.get(key, 0) > now:
            return
        for row in rows:
            there = self._rows.get(key, {}).get(row.name)
            if row.expires > now and (there is None or there.expires <= now or row.rank < there.rank):
                self._set(key, row, there)

    def add(self, key: bytes, row: Row, now: int) -> Row:
        """Write `row` if there is none of its name; the row that is in place."""
        there = self._rows.get(key, {}).get(row.name)
        if there is not None and there.expires > now:
            return there
        if row.expires > now and self._forgotten.get(key, 0) <= now:
            self._set(key, row, there)
        return row

    def forget(self, key: bytes, until: int, now: int) -> None:
        """Delete the rows of `key`; accept none until `until`."""
        for row in self._rows.pop(key, {}).values():
            self.bytes -= _size(row)
        if until > max(now, self._forgotten.get(key, 0)):
            self._forgotten[key] = until
            self._note(until, key)

    def _set(self, key: bytes, row: Row, there: Row | None) -> None:
        self.bytes += _size(row) - (0 if there is None else _size(there))
        self._rows.setdefault(key, {})[row.name] = row
        self._note(row.expires, key)

    def _note(self, when: int, key: bytes) -> None:
        if (when, key) not in self._noted:
            self._noted.add((when, key))
            heapq.heappush(self._expiries, (when, key))

    def expire(self, before: int, most: int) -> int:
        """Delete rows and tombstones that expired before `before`, of at most `most` keys; how many."""
        deleted = 0
        while self._expiries and self._expiries[0][0] < before and most > 0:
            most -= 1
            expiry = heapq.heappop(self._expiries)
            self._noted.discard(expiry)
            deleted += self._expire(expiry[1], before)
        return deleted

    def _expire(self, key: bytes, before: int) -> int:
        rows = self._rows.get(key, {})
        gone = [row for row in rows.values() if row.expires < before]
        for row in gone:
            self.bytes -= _size(row)
            del rows[row.name]
        if not rows:
            self._rows.pop(key, None)
        deleted = len(gone)
        if self._forgotten.get(key, before) < before:
            del self._forgotten[key]
            deleted += 1
        return deleted

    def expired(self, before: int) -> int:
        """Rows and tombstones that expired before `before` and are still there."""
        keys = {key for when, key in self._expiries if when < before}
        rows = sum(row.expires < before for key in keys for row in self._rows.get(key, {}).values())
        return rows + sum(self._forgotten.get(key, before) < before for key in keys)


def _size(row: Row) -> int:
    return len(row.head) + len(row.body)

"""The tables of the log: messages, positions, partitions."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from typing import Any

from esclusa.engines.inprocess.partition import BATCH, BATCH_BYTES, Partition
from esclusa.engines.inprocess.topics import Kept, Topics
from esclusa.engines.inprocess.writer import Append, Commit
from esclusa.engines.sqlite.database import Database, insert_all
from esclusa.kernel.message import Message
from esclusa.ports.log import Topic

TAIL = 1 << 20
"""Bytes of each partition that are kept in memory too."""
PLACES = 1 << 40
"""Offsets that a partition has room for: a thousand a second for 35 years."""
_MESSAGE = 5
_POSITION = 3
_FORWARD = "ON CONFLICT (partition, reader) DO UPDATE SET position = excluded.position WHERE excluded.position > position"


class Messages:
    """Carries out appends and commits, and is the archive of the partitions.

    What a transaction has written is remembered by `append` and `commit` and becomes visible by `publish`.
    """

    def __init__(self, database: Database) -> None:
        self.topics = Topics()
        self._database = database
        self._appended: dict[Partition, list[Message]] = {}
        self._values: list[Any] = []
        self._commits: dict[tuple[int, str], Commit] = {}

    def append(self, write: Append) -> None:
        """Take a message into the transaction; its offset is known now and visible later."""
        partition = write.partition
        messages = self._appended.setdefault(partition, [])
        offset = partition.end + len(messages)
        messages.append(Message(offset, write.made, write.key, write.value))
        partition.peak = max(partition.peak, write.made)
        self._values += (partition.id * PLACES + offset, write.made, partition.peak - write.made, write.key, write.value)
        write.result = offset

    def commit(self, write: Commit) -> None:
        """Take a position into the transaction, if its partition is still the member's; only the last one counts."""
        claim = write.claim
        if claim.held:
            place = claim.partition.id, claim.group.name
            there = self._commits.get(place)
            if there is None or there.position < write.position:
                self._commits[place] = write

    def write(self, connection: sqlite3.Connection) -> None:
        """Put what was taken into the transaction."""
        insert_all(connection, "messages", _MESSAGE, self._values)
        positions = [value for (id, group), write in self._commits.items() for value in (id, group, write.position)]
        insert_all(connection, "positions", _POSITION, positions, _FORWARD)

    def publish(self) -> None:
        """The transaction is durable: readers see the messages, groups their positions."""
        for partition, messages in self._appended.items():
            partition.grow(messages)
        for commit in self._commits.values():
            commit.claim.group.advance(commit.claim.partition.number, commit.position)
        self.clear()

    def clear(self) -> None:
        """Remember nothing of the transaction."""
        self._appended.clear()
        self._values.clear()
        self._commits.clear()

    def reload(self) -> None:
        """Take from the database what is there, whatever was remembered."""
        self.clear()
        rows = self._database.read("SELECT topic, number, id, keep FROM partitions ORDER BY topic, number")
        for name, of_topic in groupby(rows, itemgetter(0)):
            kept = self.topics.find(name) or self._found(name, list(of_topic))
            for partition in kept.partitions:
                self._restart(partition)
                self._positions(kept, partition)

    def _found(self, name: str, rows: list[tuple[str, int, int, float]]) -> Kept:
        partitions = [Partition(id, number, self, TAIL) for _, number, id, _ in rows]
        return self.topics.declare(Topic(name, len(partitions), rows[0][3]), partitions)

    def _restart(self, partition: Partition) -> None:
        low = partition.id * PLACES
        within = "FROM messages WHERE place >= ? AND place < ? ORDER BY place"
        first = self._database.read(f"SELECT place {within} LIMIT 1", (low, low + PLACES))
        last = self._database.read(f"SELECT place, made + behind {within} DESC LIMIT 1", (low, low + PLACES))
        ((floor,),) = self._database.read("SELECT floor FROM partitions WHERE id = ?", (partition.id,))
        if first:
            partition.restart(first[0][0] - low, last[0][0] - low + 1, last[0][1])
        else:
            partition.restart(floor, floor, 0)

    def _positions(self, kept: Kept, partition: Partition) -> None:
        for group, position in self._database.read(
            "SELECT reader, position FROM positions WHERE partition = ?", (partition.id,)
        ):
            kept.group(group).advance(partition.number, position)

    def set_up(self, topics: Sequence[Topic]) -> None:
        """Make the partitions that are missing, in one transaction. `StorageError` as `Topics.missing` raises it."""
        missing = {topic: self.topics.missing(topic) for topic in topics if not topic.broadcast}
        with self._database.transaction() as connection:
            made = {topic: self._make(connection, topic, count) for topic, count in missing.items()}
        for topic, partitions in made.items():
            self.topics.declare(topic, partitions)
        for topic in topics:
            if topic.broadcast:
                self.topics.announce(topic)

    def _make(self, connection: sqlite3.Connection, topic: Topic, count: int) -> list[Partition]:
        connection.execute("UPDATE partitions SET keep = ? WHERE topic = ?", (topic.keep, topic.name))
        added = []
        for number in range(topic.partitions - count, topic.partitions):
            made = connection.execute(
                "INSERT INTO partitions (topic, number, keep) VALUES (?, ?, ?)", (topic.name, number, topic.keep)
            )
            added.append(Partition(made.lastrowid or 0, number, self, TAIL))
        return added

    def fetch(self, partition: Partition, position: int, end: int) -> list[Message]:
        """A batch of the messages from `position` on, below `end`."""
        low = partition.id * PLACES
        batch: list[Message] = []
        size = 0
        rows = self._database.stream(
            "SELECT place, made, key, value FROM messages WHERE place >= ? AND place < ? ORDER BY place LIMIT ?",
            (low + position, low + end, BATCH),
        )
        with closing(rows):
            for place, made, key, value in rows:
                batch.append(Message(place - low, made, key, value))
                size += len(value)
                if size >= BATCH_BYTES:
                    break
        return batch

    def since(self, partition: Partition, made: int, start: int = 0) -> int:
        """The position of the first message, from `start` on, made at or after `made`, found by halving.

        Offsets have no gaps, except in a file that was damaged: what is absent there has been deleted, as it were.
        """
        place = partition.id * PLACES
        low, high = min(max(partition.start, start), partition.end), partition.end
        while low < high:
            middle = (low + high) // 2
            found = self._database.read(
                "SELECT place, made + behind FROM messages WHERE place >= ? AND place < ? ORDER BY place LIMIT 1",
                (place + middle, place + high),
            )
            if found and found[0][1] < made:
                low = found[0][0] - place + 1
            else:
                high = middle
        return low

    def expired(self, now: int) -> list[tuple[Partition, int]]:
        """The partitions with messages older than their topic's `keep`, and the position below which they stand."""
        found = []
        for kept in self.topics:
            oldest = now - int(kept.declared.keep * 1000)
            for partition in kept.partitions:
                below = self.since(partition, oldest)
                if below > partition.start:
                    found.append((partition, below))
        return found

    def delete(self, partition: Partition, below: int, most: int) -> int:
        """Delete up to `most` messages of `partition` that stand below the position `below`; how many. One transaction."""
        last = min(below, partition.start + most)
        low = partition.id * PLACES
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM messages WHERE place >= ? AND place < ?", (low + partition.start, low + last))
            if last == partition.end:  # none is left to tell where the partition ends
                connection.execute("UPDATE partitions SET floor = ? WHERE id = ?", (last, partition.id))
        deleted = last - partition.start
        partition.drop(last)
        return deleted

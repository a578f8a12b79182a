"""A partition: where it begins and ends, and in memory its tail, which most readers read from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from esclusa.kernel.message import Message

BATCH = 256
"""Messages in one batch, at most."""
BATCH_BYTES = 256 << 10
"""Bytes after which a batch takes no further message."""


class Reader(Protocol):
    """Who wants to know that a partition has grown."""

    def wake(self) -> None:
        """There is something new to read."""


class Archive(Protocol):
    """Where messages are read that are no longer in a tail."""

    def fetch(self, partition: Partition, position: int, end: int) -> list[Message]:
        """The messages from `position` on, below `end`, in order: a batch of them, at least one if there is any."""

    def since(self, partition: Partition, made: int, start: int = 0) -> int:
        """The position of the first message, from `start` on, made at or after `made` (ms since the epoch); else the end."""


class Partition:
    """Messages from `start` up to, and without, `end`; offsets follow each other without gaps.

    With an `archive`, the last `room` bytes are kept in memory too; without one, memory is all there is.
    """

    __slots__ = ("_archive", "_bytes", "_messages", "_room", "_tail", "end", "id", "number", "peak", "readers", "start")

    def __init__(self, id: int, number: int, archive: Archive | None = None, room: int = 0) -> None:
        self.id = id
        self.number = number
        self.start = 0
        self.end = 0
        self.peak = 0
        """The latest `made` of all messages ever: clocks may go back between two runs, this does not."""
        self.readers: set[Reader] = set()
        self._archive = archive
        self._room = room
        self._messages: list[Message] = []
        self._tail = 0
        self._bytes = 0

    @property
    def tail(self) -> Sequence[Message]:
        """What is in memory: the last messages, in order."""
        return self._messages

    def restart(self, start: int, end: int, peak: int) -> None:
        """Begin anew with what the archive holds; readers are woken if that is more than was known."""
        grown = end > self.end
        self.start, self.end, self.peak = start, end, peak
        self._messages = []
        self._tail, self._bytes = end, 0
        if grown:
            self._wake()

    def grow(self, messages: Sequence[Message]) -> None:
        """Add `messages`, which are durable and follow on `end`, and wake the readers."""
        self._messages += messages
        self.end = messages[-1].offset + 1
        for message in messages:
            self._bytes += len(message.value)
            self.peak = max(self.peak, message.made)
        if self._archive is not None and self._bytes > self._room:
            self._trim()
        self._wake()

    def _trim(self) -> None:
        """Down to half the room: then the list is shifted once in a while and not at every message."""
        gone = 0
        while self._bytes > self._room // 2:
            self._bytes -= len(self._messages[gone].value)
            gone += 1
        del self._messages[:gone]
        self._tail += gone

    def drop(self, below: int) -> int:
        """Messages below the position `below` are deleted; how many bytes of them were in memory."""
        self.start = max(self.start, below)
        gone = self._messages[: max(0, self.start - self._tail)]
        if gone:
            del self._messages[: len(gone)]
            self._tail += len(gone)
        freed = sum(len(message.value) for message in gone)
        self._bytes -= freed
        return freed

    def fetch(self, position: int, end: int | None = None) -> list[Message]:
        """A batch of the messages from `position` on (below `end`); empty when there are none."""
        stop = self.end if end is None else min(end, self.end)
        position = max(position, self.start)
        if position >= stop:
            return []
        if position < self._tail and self._archive is not None:
            return self._archive.fetch(self, position, min(stop, self._tail))
        first = position - self._tail
        batch = self._messages[first : min(first + BATCH, stop - self._tail)]
        size = 0
        for count, message in enumerate(batch, 1):
            size += len(message.value)
            if size >= BATCH_BYTES:
                return batch[:count]
        return batch

    def since(self, made: int, start: int = 0) -> int:
        """The position of the first message, from `start` on, made at or after `made` (ms since the epoch); else the end."""
        if self._archive is not None:
            return self._archive.since(self, made, start)
        places = range(max(0, start - self._tail), len(self._messages))
        return next((self._tail + place for place in places if self._messages[place].made >= made), self.end)

    def _wake(self) -> None:
        for reader in self.readers:
            reader.wake()

"""Writes of one moment, made durable together and in the order in which they were asked for.

What is asked for within one turn of the event loop is one group: a commit costs far more than a row. Groups follow each
other at `pace`, once `BURST` of them have gone ahead of it: a lone chain of writes waits for nothing, and under load
the groups are large, since every commit writes whole pages. A group is carried out by the engine's `Storage`, wholly or
not at all; only then are the futures of its writes done. The queue is bounded in bytes and entries; beyond, a write is refused with
`StorageUnavailable`, which is what a process with a slow disk should say.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

from esclusa.engines.inprocess.group import Claim
from esclusa.engines.inprocess.partition import Partition
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed, StorageError, StorageUnavailable
from esclusa.ports.records import Row

T = TypeVar("T")

ENTRY = 100
"""Bytes that an entry counts beside its contents."""
GROUP_ENTRIES = 1024
"""Entries in one group, so that the loop is never held for long."""
GROUP_BYTES = 1 << 20
QUEUE_ENTRIES = 50_000
QUEUE_BYTES = 32 << 20
BURST = 8
"""Groups that may go ahead of the pace."""


class Write(Generic[T]):
    """Something to be done in its turn. Whoever carries it out sets `result`, or `error` when this one alone failed."""

    __slots__ = ("error", "future", "result", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.future: asyncio.Future[T]
        self.result: T
        self.error: StorageError | None = None


class Append(Write[int]):
    """A message for a partition; its result is the offset."""

    __slots__ = ("key", "made", "partition", "value")

    def __init__(self, partition: Partition, made: int, key: bytes, value: bytes) -> None:
        super().__init__(ENTRY + len(key) + len(value))
        self.partition = partition
        self.made = made
        self.key = key
        self.value = value


class Commit(Write[None]):
    """A group's position; void if the partition is no longer the member's when its turn comes."""

    __slots__ = ("claim", "position")

    def __init__(self, claim: Claim, position: int) -> None:
        super().__init__(ENTRY)
        self.claim = claim
        self.position = position
        self.result = None


class Put(Write[None]):
    """Rows of one key, each by its rank."""

    __slots__ = ("key", "rows")

    def __init__(self, key: bytes, rows: Sequence[Row]) -> None:
        super().__init__(sum([len(row.head) + len(row.body) + ENTRY for row in rows]))
        self.key = key
        self.rows = rows
        self.result = None


class Add(Write[Row]):
    """A row if there is none of its name; its result is the row in place."""

    __slots__ = ("key", "row")

    def __init__(self, key: bytes, row: Row) -> None:
        super().__init__(len(row.head) + len(row.body) + ENTRY)
        self.key = key
        self.row = row


class Forget(Write[None]):
    """All rows of a key away, and none accepted until `until`."""

    __slots__ = ("key", "until")

    def __init__(self, key: bytes, until: int) -> None:
        super().__init__(ENTRY)
        self.key = key
        self.until = until
        self.result = None


class Read(Write[list[Row]]):
    """A read of a key with writes before it in the queue: it sees those and none that come after it."""

    __slots__ = ("bodies", "key")

    def __init__(self, key: bytes, bodies: bool | Collection[str]) -> None:
        super().__init__(ENTRY)
        self.key = key
        self.bodies = bodies


class Barrier(Write[None]):
    """Nothing to do; its future is done when all that was asked for before it has been carried out."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(0)
        self.result = None


class Storage(Protocol):
    """Where an engine carries out groups of writes."""

    def carry_out(self, group: Sequence[Write[Any]]) -> None:
        """Make all of `group` durable and visible, in its order, and set the results; or raise a `StorageError`.

        When it raises, nothing of `group` is visible, and nothing of it is known to be durable.
        """


class Writer:
    """The queue of one process's writes.

    `pace`: seconds between two groups, on average at least; 0: every turn of the loop may have its own.
    """

    def __init__(self, storage: Storage, clock: Clock, *, pace: float = 0.0) -> None:
        self._storage = storage
        self._clock = clock
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Write[Any]] = deque()
        self._bytes = 0
        self._paced = 0.0
        """When the next group is due if every one so far had kept to the pace."""
        self._next: asyncio.Handle | None = None
        self._held = False
        self._closed = False

    @property
    def waiting(self) -> int:
        """Entries in the queue."""
        return len(self._queue)

    @property
    def bytes(self) -> int:
        """Bytes in the queue."""
        return self._bytes

    def submit(self, write: Write[T]) -> asyncio.Future[T]:
        """Queue `write`. Its future fails at once when the queue is full (`StorageUnavailable`) or closed (`Closed`)."""
        future: asyncio.Future[T] = self._loop.create_future()
        write.future = future
        if self._closed:
            future.set_exception(Closed("the storage is closed"))
        elif self._bytes + write.size > QUEUE_BYTES or len(self._queue) >= QUEUE_ENTRIES:
            future.set_exception(StorageUnavailable("storage is slower than what is asked of it: too much waits to be written"))
        else:
            self._queue.append(write)
            self._bytes += write.size
            if self._next is None:
                self._plan()
        return future

    def _plan(self) -> None:
        if self._held or not self._queue:
            return
        due = self._paced - BURST * self._pace
        if self._clock.now() >= due:
            self._next = self._loop.call_soon(self._flush)
        else:
            self._next = self._clock.call_at(due, self._flush)

    def _flush(self) -> None:
        self._next = None
        group = self._take()
        try:
            self._storage.carry_out(group)
        except StorageError as error:
            for write in group:
                _fail(write, error)
        except BaseException as error:  # a mistake in an engine: nobody is left waiting for ever, and it is seen
            for write in group:
                _fail(write, StorageUnavailable(f"the storage engine failed: {error!r}"))
            raise
        else:
            for write in group:
                if write.error is not None:
                    _fail(write, write.error)
                elif not write.future.done():
                    write.future.set_result(write.result)
        finally:
            self._paced = max(self._paced, self._clock.now()) + self._pace
            self._plan()

    def _take(self) -> list[Write[Any]]:
        group: list[Write[Any]] = []
        size = 0
        queue = self._queue
        while queue and len(group) < GROUP_ENTRIES and size < GROUP_BYTES:
            write = queue.popleft()
            size += write.size
            group.append(write)
        self._bytes -= size
        return group

    def hold(self) -> None:
        """Carry out nothing until `go_on`; what is asked for waits."""
        self._held = True
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def go_on(self) -> None:
        """Undo `hold`."""
        self._held = False
        if self._next is None:
            self._plan()

    async def settled(self) -> None:
        """Wait until all that has been asked for so far is carried out, done or failed."""
        if self._queue:
            barrier = Barrier()
            barrier.future = self._loop.create_future()
            self._queue.append(barrier)
            with suppress(StorageError):
                await barrier.future

    async def close(self) -> None:
        """Take no more, and finish what is in the queue."""
        self._closed = True
        await self.settled()

    def kill(self) -> None:
        """Drop what is in the queue, as the death of the process would."""
        self._closed = True
        self.hold()
        for write in self._queue:
            _fail(write, Closed("the process was killed"))
        self._queue.clear()
        self._bytes = 0


def _fail(write: Write[Any], error: StorageError) -> None:
    """Each gets an exception of its own: a shared one would gather the tracebacks of all who raise it."""
    if not write.future.done():
        own = type(error)(str(error))
        own.__cause__ = error.__cause__
        write.future.set_exception(own)

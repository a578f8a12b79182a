"""A stage: every operation of every process on the shared storage stands still until the test lets it happen.

So a test decides the order of things: a write that is slow, a read between two writes, a write whose acknowledgement is
lost and that lands a minute later. `esclusa.testing.virtual` gives the time, the engine `memory` the storage.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Any

from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.message import Message
from esclusa.ports.log import RELEASE, Log, Subscription, Topic
from esclusa.ports.records import Records, Row
from esclusa.testing.virtual import settle


class Step:
    """One operation that waits for its moment."""

    def __init__(self, who: str, what: str, names: tuple[str, ...], act: Callable[[], asyncio.Future[Any]]) -> None:
        self.who = who
        """The process."""
        self.what = what
        """The port's method: `put`, `add`, `read`, `forget`, `append`, `end`."""
        self.names = names
        """The rows, or the topic, that it is about."""
        self._act = act
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def __repr__(self) -> str:
        return f"{self.who}: {self.what} {' '.join(self.names)}".rstrip()

    async def take(self) -> None:
        """It happens, and its process hears of it. Returns when nothing more can run."""
        inner = asyncio.ensure_future(self._act())
        await asyncio.wait({inner})
        if not self.future.done():
            error = inner.exception()
            if error is None:
                self.future.set_result(inner.result())
            else:
                self.future.set_exception(error)
        await settle()

    async def time_out(self) -> None:
        """Its process is told that nobody knows; it may still `take` effect, at any later moment, or never."""
        if not self.future.done():
            self.future.set_exception(StorageUnavailable("timed out"))
        await settle()


class Stage:
    """The operations of all processes that wait for their moment, in the order in which they were asked for."""

    def __init__(self) -> None:
        self.waiting: list[Step] = []

    def records(self, who: str, records: Records) -> Records:
        """`records` as the process `who` sees them, on this stage."""
        return _StagedRecords(self, who, records)

    def log(self, who: str, log: Log) -> Log:
        """`log` as the process `who` sees it: `append` and `end` come on this stage, all else happens at once."""
        return _StagedLog(self, who, log)

    def step(self, who: str, what: str | None = None) -> Step:
        """Take the oldest waiting step of `who` (and `what`) off the stage; it has not happened yet."""
        for step in self.waiting:
            if step.who == who and what in (None, step.what):
                self.waiting.remove(step)
                return step
        raise AssertionError(f"no step of {who} {what or ''} among {self.waiting}")

    def enter(self, step: Step) -> asyncio.Future[Any]:
        """A step comes on stage; the future that its process waits for."""
        self.waiting.append(step)
        return step.future


class _StagedRecords:
    def __init__(self, stage: Stage, who: str, records: Records) -> None:
        self._stage = stage
        self._who = who
        self._records = records

    def put(self, key: bytes, rows: Sequence[Row]) -> asyncio.Future[None]:
        names = tuple(row.name for row in rows)
        return self._stage.enter(Step(self._who, "put", names, lambda: self._records.put(key, rows)))

    def add(self, key: bytes, row: Row) -> asyncio.Future[Row]:
        return self._stage.enter(Step(self._who, "add", (row.name,), lambda: self._records.add(key, row)))

    def read(self, key: bytes, bodies: bool | Collection[str] = True) -> asyncio.Future[list[Row]]:
        return self._stage.enter(Step(self._who, "read", (), lambda: self._records.read(key, bodies)))

    def forget(self, key: bytes, until: int) -> asyncio.Future[None]:
        return self._stage.enter(Step(self._who, "forget", (), lambda: self._records.forget(key, until)))

    async def close(self) -> None:
        """The storage is others' too."""


class _StagedLog:
    def __init__(self, stage: Stage, who: str, log: Log) -> None:
        self._stage = stage
        self._who = who
        self._log = log

    def append(self, topic: Topic, key: bytes, value: bytes) -> asyncio.Future[int]:
        return self._stage.enter(Step(self._who, "append", (topic.name,), lambda: self._log.append(topic, key, value)))

    def read(self, topic: Topic, partition: int, since: int, end: int, start: int = 0) -> AsyncIterator[Sequence[Message]]:
        return self._log.read(topic, partition, since, end, start)

    async def end(self, topic: Topic, partition: int) -> int:
        def act() -> asyncio.Future[int]:
            return asyncio.ensure_future(self._log.end(topic, partition))

        end: int = await self._stage.enter(Step(self._who, "end", (topic.name,), act))
        return end

    async def subscribe(self, topic: Topic, group: str | None, release: float = RELEASE) -> Subscription:
        return await self._log.subscribe(topic, group, release)

    async def close(self) -> None:
        """The storage is others' too."""

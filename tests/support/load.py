"""Processes that write and read records while something is done to the nodes, and the ledger of what they were told."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from esclusa.engines.cassandra.cassandra import CassandraEngine
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable
from esclusa.ports.records import Row
from support.poll import pause, until

T = TypeVar("T")

WORKERS = 6
THINK = 0.03
"""Seconds between two turns of a worker: nodes that start on the same machine need some of it."""
LIVES_MS = 3_600_000
"""Milliseconds."""
CONTEST = b"contest"
"""Where all put rows of the same names, each with a rank of its own."""


class Load:
    """Workers, each on one of `engines`, who put, add, read and forget until it is over.

    What is read has to fit what was acknowledged before the read began, and what was tried; whoever adds the same name is
    told the same; what is forgotten stays so. What was refused may have been done or not.
    """

    def __init__(self, engines: Sequence[CassandraEngine], *, late: float) -> None:
        """`late`: seconds within which every operation ends."""
        self.errors: Counter[str] = Counter()
        """Refused, by what was to be done."""
        self.done: Counter[str] = Counter()
        """Acknowledged."""
        self.longest = 0.0
        """Seconds between two acknowledgements, whosever."""
        self.over = False
        self._engines = engines
        self._late = late
        self._clock = Clock()
        self._last = self._clock.now()
        self._dice = random.Random(1)
        self._acknowledged: defaultdict[bytes, dict[str, int]] = defaultdict(dict)
        """By key and name, the lowest rank."""
        self._added: dict[bytes, Row] = {}
        """By key, what all were told."""
        self._forgotten: list[bytes] = []
        self._workers = [asyncio.create_task(self._work(number)) for number in range(WORKERS)]

    async def more(self, count: int, *, seconds: float = 60.0) -> None:
        """Return once so many more operations have been acknowledged."""
        goal = self.done.total() + count

        async def reached() -> bool:
            await asyncio.gather(*(worker for worker in self._workers if worker.done()))  # what one has found wrong
            return self.done.total() >= goal

        await until(reached, seconds=seconds)

    async def end(self, engine: CassandraEngine) -> None:
        """Nobody writes any more, and all that was acknowledged is there for `engine`, which was not there before."""
        self.over = True
        await asyncio.gather(*self._workers)
        for key in self._acknowledged:
            await self._see(engine, key)
        for key in self._added:
            await self._see_added(engine, key)
        for key in self._forgotten:
            assert await engine.records.read(key) == []

    async def _work(self, number: int) -> None:
        engine, own, turn = self._engines[number % len(self._engines)], b"own-%d" % number, 0
        while not self.over:
            turn += 1
            await pause(THINK)
            await self._put(engine, own, Row(f"{turn:05}", b"", b"%d" % turn, self._expires()))
            await self._put(engine, CONTEST, Row(f"{turn % 40}", b"", b"", self._expires(), self._dice.randrange(-9999, 9999)))
            for key in (own, CONTEST):
                await self._told("read", self._see(engine, key))
            if turn % 5 == 0:
                await self._race(b"race-%d-%d" % (number, turn))
                await self._forget(engine, b"gone-%d-%d" % (number, turn))
            for key in self._dice.sample(self._forgotten, min(2, len(self._forgotten))):
                found = await self._told("read", engine.records.read(key))
                assert not found
            for key in self._dice.sample(list(self._added), min(2, len(self._added))):
                await self._told("read", self._see_added(engine, key))

    def _expires(self) -> int:
        return self._clock.millis() + LIVES_MS

    async def _told(self, what: str, operation: Awaitable[T]) -> T | None:
        """What it ends with; None when it is refused."""
        began = self._clock.now()
        try:
            result = await operation
        except StorageUnavailable:
            self.errors[what] += 1
            assert self._clock.now() - began < self._late, "it was refused too late"
            return None
        now = self._clock.now()
        self.longest, self._last = max(self.longest, now - self._last), now
        self.done[what] += 1
        return result

    async def _put(self, engine: CassandraEngine, key: bytes, row: Row) -> None:
        errors = self.errors["put"]
        await self._told("put", engine.records.put(key, [row]))
        if self.errors["put"] == errors:
            ranks = self._acknowledged[key]
            ranks[row.name] = min(row.rank, ranks.get(row.name, row.rank))

    def __str__(self) -> str:
        refused = ", ".join(f"{count} {what}" for what, count in self.errors.items()) or "none"
        return f"{self.done.total()} operations done, refused: {refused}; nothing done for {self.longest:.1f} s at most"

    async def _see(self, engine: CassandraEngine, key: bytes) -> None:
        before = dict(self._acknowledged[key])
        found = {row.name: row.rank for row in await engine.records.read(key)}
        assert before.keys() <= found.keys(), f"lost: {sorted(before.keys() - found.keys())}"
        assert all(found[name] <= rank for name, rank in before.items()), "a higher rank has won"

    async def _see_added(self, engine: CassandraEngine, key: bytes) -> None:
        assert await engine.records.read(key) == [self._added[key]]

    async def _race(self, key: bytes) -> None:
        rows = [Row("one", b"", b"%d" % number, self._expires()) for number in range(len(self._engines))]
        adding = [engine.records.add(key, row) for engine, row in zip(self._engines, rows, strict=True)]
        answers = await asyncio.gather(*(self._told("add", each) for each in adding))
        told = {answer.body: answer for answer in answers if answer is not None}
        assert len(told) <= 1, "two have won"
        if told:
            self._added[key] = next(iter(told.values()))

    async def _forget(self, engine: CassandraEngine, key: bytes) -> None:
        rows = [Row(name, b"", b"", self._expires()) for name in ("a", "b")]
        await self._told("put", engine.records.put(key, rows))
        forgotten = self.errors["forget"]
        await self._told("forget", engine.records.forget(key, self._expires()))
        if self.errors["forget"] == forgotten:
            self._forgotten.append(key)
        await self._told("put", engine.records.put(key, rows))

"""Ports against models: whatever is done, in whatever order, comes out as in a model of a few lines.

The sequences are made by hypothesis, which shortens one that fails.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from functools import partial
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from esclusa.kernel.clock import Clock
from esclusa.ports.log import Topic, partition_of
from esclusa.ports.records import Row
from esclusa.testing.exams.deployment import Deployment, Exam, Process, end
from esclusa.testing.exams.member import Member

EXAMPLES = settings(max_examples=50, deadline=None, derandomize=True, database=None)
TOPIC = Topic("exam.model", partitions=3)


class Step(msgspec.Struct, frozen=True):
    """One thing that is done: `what`, with numbers from which its details are taken."""

    what: str
    a: int
    b: int
    c: int


def steps(**whats: int) -> st.SearchStrategy[list[Step]]:
    """Sequences of steps, of each kind so many, on average and beside each other."""
    number = st.integers(0, 5)
    what = st.sampled_from([what for what, often in whats.items() for _ in range(often)])
    return st.lists(st.builds(Step, what, number, number, number), min_size=30, max_size=80)


class RecordsModelExam(Exam):
    """Records against a dictionary."""

    def test_records_are_like_the_model(self) -> None:
        """Puts, adds, forgets, waits, sweeps; each read as the model has it."""

        @EXAMPLES
        @given(steps(put=8, later=8, add=8, forget=2, wait=4, sweep=2, restart=1))
        def like_the_model(sequence: list[Step]) -> None:
            self.run(self.follow_records(sequence))

        like_the_model()

    async def follow_records(self, sequence: list[Step]) -> None:
        """Do the steps, and compare after each."""
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            model = RowModel(clock)
            later: list[Future[Any]] = []
            for step in sequence:
                key = b"key-%d" % (step.a % 2)
                if step.what in {"put", "later"}:
                    rows = [model.row(step, 0), model.row(step, 1)]
                    later.append(process.records.put(key, rows))
                    model.put(key, rows)
                elif step.what == "add":
                    added = await process.records.add(key, model.added(step))
                    assert added == model.add(key, model.added(step)) or key in model.forgotten
                elif step.what == "forget":
                    later.append(process.records.forget(key, model.end))
                    model.forget(key)
                if step.what == "later":
                    continue
                await asyncio.gather(*later)
                later.clear()
                if step.what == "wait":
                    await clock.sleep(step.b)
                elif step.what == "sweep":
                    await process.upkeep.sweep(clock.millis())
                elif step.what == "restart":
                    await process.stop()
                    process = await deployment.process(clock)
                    model = model if deployment.features.durable else RowModel(clock)
                assert await process.records.read(key) == model.read(key)


class RowModel:
    """What records are, without storage."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start = clock.millis()
        self._rows: dict[tuple[bytes, str], Row] = {}
        self.forgotten: set[bytes] = set()
        self.end = self._start + 60_000
        """No row expires later."""

    def row(self, step: Step, other: int) -> Row:
        """A row to put: all about it follows from its name and rank, and the lower its rank, the later it expires."""
        place = (step.b + other) % 3
        expires = self._start + 20_500 - step.c * 4000
        return Row(f"put-{place}", b"%d" % step.c, b"%d" % place, expires, rank=step.c - 2)

    def added(self, step: Step) -> Row:
        """A row to add."""
        return Row(f"add-{step.b % 3}", b"%d" % step.b, b"%d" % step.c, self._start + 500 + step.c * 4000, rank=step.b - 2)

    def _there(self, key: bytes, name: str) -> Row | None:
        row = self._rows.get((key, name))
        return row if row is not None and row.expires > self._clock.millis() else None

    def _takes(self, key: bytes, row: Row) -> bool:
        return row.expires > self._clock.millis() and key not in self.forgotten

    def put(self, key: bytes, rows: list[Row]) -> None:
        for row in rows:
            there = self._there(key, row.name)
            if self._takes(key, row) and (there is None or row.rank < there.rank):
                self._rows[key, row.name] = row

    def add(self, key: bytes, row: Row) -> Row:
        there = self._there(key, row.name)
        if there is None and self._takes(key, row):
            self._rows[key, row.name] = row
        return row if there is None else there

    def forget(self, key: bytes) -> None:
        self._rows = {place: row for place, row in self._rows.items() if place[0] != key}
        self.forgotten.add(key)

    def read(self, key: bytes) -> list[Row]:
        rows = [self._there(at, name) for at, name in sorted(self._rows) if at == key]
        return [row for row in rows if row is not None]


class LogModelExam(Exam):
    """A log against lists."""

    def test_groups_are_like_the_model(self) -> None:
        """Appends, members that come and go, commits, deaths: nothing is missed, nothing below a position comes."""

        @EXAMPLES
        @given(steps(append=8, join=8, commit=6, close=4, stop=1, kill=1))
        def like_the_model(sequence: list[Step]) -> None:
            self.run(self.follow_log(sequence))

        like_the_model()

    async def follow_log(self, sequence: list[Step]) -> None:
        """Do the steps, and compare after each."""
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([TOPIC])
            model = LogModel(self.limit)
            for step in sequence:
                if step.what in {"stop", "kill"}:
                    process, model = await self.restart(deployment, process, model, kill=step.what == "kill")
                else:
                    await model.follow(process, step)
                await model.check()
            await model.end()

    async def restart(
        self, deployment: Deployment, process: Process, model: LogModel, *, kill: bool
    ) -> tuple[Process, LogModel]:
        """End the process and start another."""
        await model.end()
        await end(process, kill=kill)
        process = await deployment.process(self.clock())
        await process.upkeep.setup([TOPIC])
        return process, model if deployment.features.durable else LogModel(self.limit)


class LogModel:
    """What a log is, without storage: lists of messages, and how far each group has come."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._changed = asyncio.Event()
        self._messages: dict[int, list[tuple[int, bytes]]] = {number: [] for number in range(TOPIC.partitions)}
        self._committed: dict[tuple[str, int], int] = {}
        self._members: dict[str, list[Member]] = {"a": [], "b": []}

    async def follow(self, process: Process, step: Step) -> None:
        """Do `step`, and take note of what must come of it."""
        group = "ab"[step.a % 2]
        members = self._members[group]
        if step.what == "append":
            for number in range(step.b * 3):
                key, value = b"%d" % (step.c + number), b"%d.%d" % (step.c, number)
                offset = await process.log.append(TOPIC, key, value)
                self._messages[partition_of(key, TOPIC.partitions)].append((offset, value))
        elif step.what == "join":
            members.append(Member(await process.log.subscribe(TOPIC, group), limit=self._limit, changed=self._changed))
        elif members and step.what == "close":
            await members.pop(step.b % len(members)).close()
        elif members and step.what == "commit":
            await self._commit(group, members[step.b % len(members)], step)

    async def _commit(self, group: str, member: Member, step: Step) -> None:
        for partition in member.owned:
            messages = self._messages[partition]
            if messages:
                position = messages[step.c * (len(messages) - 1) // 5][0]
                await member.subscription.commit(partition, position)
                self._committed[group, partition] = max(position, self._committed.get((group, partition), 0))

    async def check(self) -> None:
        """Wait until every group with members has got all that is due; nothing else may have come."""
        for group, members in self._members.items():
            if members:
                await members[0].until(partial(self._settled, group))
                for member in members:
                    for partition, assigned in member.owned.items():
                        assert assigned.committed <= self._committed.get((group, partition), assigned.end)
                        assert member.current[partition] == self._due(partition, assigned.committed)

    def _settled(self, group: str) -> bool:
        """Every partition is one member's, which has got what is due; and nothing is about to move."""
        members = self._members[group]
        for member in members:
            member.alive()
        held = sorted(partition for member in members for partition in member.owned)
        shares = [len(member.owned) for member in members]
        return (
            held == list(self._messages)
            and max(shares) - min(shares) <= 1
            and all(
                len(member.current[partition]) >= len(self._due(partition, assigned.committed))
                for member in members
                for partition, assigned in member.owned.items()
            )
        )

    def _due(self, partition: int, position: int) -> list[bytes]:
        return [value for offset, value in self._messages[partition] if offset >= position]

    async def end(self) -> None:
        """The process ends: no member is left, and what was committed is where the next ones go on."""
        for members in self._members.values():
            for member in members:
                await member.stop()
            members.clear()

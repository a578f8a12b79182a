"""From the answers log to rows: first recorded wins, nothing is skipped for being late, nothing is lost (H5)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from esclusa.connectors.backend import Reason
from esclusa.hub import collect
from esclusa.hub.collect import Collector
from esclusa.hub.pack import recorded
from esclusa.hub.stored import AnswerHead, Answers, encode
from esclusa.hub.topics import WAKEUPS
from esclusa.kernel.errors import StorageUnavailable
from esclusa.ports.log import Topic
from esclusa.ports.records import Row
from support.hub import ME, Process, configuration, process, question, running

pytestmark = pytest.mark.virtual_time

ID = b"0123456789abcdef"


async def append(it: Process, name: str, attempts: int, expires: int | None = None, *, id: bytes = ID) -> None:
    reason = None if attempts % 2 else Reason.BACKEND_ERROR
    head = AnswerHead(name, reason, "", attempts, 1, 6)
    answers = Answers(1, id, expires or it.runtime.clock.millis() + 60_000, [head], b"sealed")
    await it.root.log.append(it.topics[1], id, encode(answers))


async def rows(it: Process) -> dict[str, int]:
    found = recorded(ID, await it.root.records.read(ID))
    return {name: answer.head.attempts for name, answer in found.items()}


async def test_at_debug_it_says_whose_answers_it_has_recorded() -> None:
    async with running() as it:
        await append(it, "a", 1)
        await it.runtime.clock.sleep(0.1)
    assert it.logged.facts("answers recorded") == [{"request": str(UUID(bytes=ID)), "connectors": ["a"]}]


async def test_of_different_answers_the_first_in_the_log_wins() -> None:
    async with running() as it:
        for attempts in (1, 2, 3):
            await append(it, "a", attempts)
        await it.runtime.clock.sleep(0.1)
        assert await rows(it) == {"a": 1}


async def test_the_first_in_the_log_wins_even_if_another_collector_wrote_the_second() -> None:
    async with running() as it:
        await append(it, "a", 1)
        await append(it, "a", 2)
        await it.runtime.clock.sleep(0.1)
        second = process(it.settings, {}, engine=it.engine, roles=["collector"])
        async with second.lifecycle:
            await it.lifecycle.close()
            await append(it, "a", 3)
            await append(it, "b", 1)
            await second.runtime.clock.sleep(7)
        assert await rows(it) == {"a": 1, "b": 1}


async def test_who_collects_an_answer_again_writes_the_same_row() -> None:
    """Else two readers could be shown different ones: a networked engine keeps either of two rows of the same rank."""
    async with running() as it:
        await append(it, "a", 1)
        await it.runtime.clock.sleep(0.01)  # written, and not committed yet
        first = await it.root.records.read(ID)
        await it.kill()
        second = process(it.settings, {}, engine=it.engine, roles=["collector"])
        put, again = second.engine.records.put, list[Row]()

        def watched(key: bytes, rows: Sequence[Row]) -> asyncio.Future[None]:
            again.extend(row for row in rows if key == ID)
            return put(key, rows)

        second.engine.records.put = watched
        async with second.lifecycle:
            await second.runtime.clock.sleep(7)
        assert again == first


async def test_an_answer_is_never_skipped_for_being_late_but_once_expired_it_is() -> None:
    async with running() as it:
        await append(it, "a", 1, expires=it.runtime.clock.millis() + 5)
        await append(it, "b", 1, expires=it.runtime.clock.millis() - 1)
        await it.runtime.clock.sleep(0.004)
        assert await rows(it) == {"a": 1}


async def test_a_write_that_fails_is_repeated_before_any_later_one_of_its_request() -> None:
    async with running() as it:
        put, refused = it.engine.records.put, 0

        def flaky(key: bytes, rows: Sequence[Row]) -> asyncio.Future[None]:
            nonlocal refused
            if key == ID and refused < 3:
                refused += 1
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                future.set_exception(StorageUnavailable("told to fail"))
                return future
            return put(key, rows)

        it.engine.records.put = flaky
        await append(it, "a", 1)
        await append(it, "a", 2)
        await it.runtime.clock.sleep(1)
        assert refused == 3
        assert await rows(it) == {"a": 1}


async def test_a_mark_of_the_end_is_no_answer_and_makes_no_row() -> None:
    async with running() as it:
        mark = Answers(1, ID, it.runtime.clock.millis() + 60_000, [], b"")
        await it.root.log.append(it.topics[1], ID, encode(mark))
        await it.runtime.clock.sleep(0.1)
        assert await it.root.records.read(ID) == []
        lags = await it.root.upkeep.lag([it.topics[1]])
        assert [lag.end - lag.committed for lag in lags] == [0, 0]


async def test_only_what_is_acknowledged_is_committed() -> None:
    async with running() as it:
        it.engine.records.put = lambda *_: asyncio.get_running_loop().create_future()
        await append(it, "a", 1)
        await it.runtime.clock.sleep(1)
        lags = await it.root.upkeep.lag([it.topics[1]])
        assert sum(lag.end - lag.committed for lag in lags if lag.group == "collector") == 1
        await it.kill()
        async with running(it.settings, engine=it.engine, roles=("collector",)) as second:
            await second.runtime.clock.sleep(1)
            assert await rows(it) == {"a": 1}


async def test_what_cannot_be_decoded_is_counted_and_settled() -> None:
    async with running() as it:
        await it.root.log.append(it.topics[1], ID, b"\xc1")
        await append(it, "a", 1)
        await it.runtime.clock.sleep(1)
        assert await rows(it) == {"a": 1}
        assert it.runtime.instrument.counters["esclusa_hub_unreadable_total"].values == {(it.topics[1].name,): 1}
        lags = await it.root.upkeep.lag([it.topics[1]])
        assert sum(lag.end - lag.committed for lag in lags if lag.group == "collector") == 0


async def test_several_collectors_share_the_work() -> None:
    async with running(configuration(["a"])) as it, running(it.settings, engine=it.engine, roles=("collector",)) as other:
        await other.runtime.signals.wait("collector.assigned")
        for number in range(12):
            receipt = await it.hub.submit(question(subject=f"X{number:07}{'TRWAGMYFPDXBNJZSQVHLCKE'[number]}"))
            await it.runtime.clock.sleep(0.2)
            assert (await it.hub.results(receipt.id, ME)).complete
        counts = [each.runtime.instrument.counters["esclusa_hub_collected_total"].values.get((), 0) for each in (it, other)]
        assert sum(counts) == 12
        assert all(counts)


async def test_a_partition_moves_while_writes_are_as_many_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "WRITING_BYTES", 1)
    async with running() as it:
        it.engine.records.put = lambda *_: asyncio.get_running_loop().create_future()
        await append(it, "a", 1)
        await it.runtime.clock.sleep(0.1)
        before = it.runtime.clock.now()
        async with running(it.settings, engine=it.engine, roles=("collector",)) as second:
            await second.runtime.signals.wait("collector.assigned")
            assert second.runtime.clock.now() - before < 1


async def test_no_more_is_taken_than_a_batch_beyond_what_may_be_written_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "WRITING_BYTES", 1)
    async with running() as it:
        put, writing = it.engine.records.put, asyncio.Event()

        async def slow(key: bytes, rows: Any) -> None:
            await writing.wait()
            await put(key, rows)

        it.engine.records.put = lambda *of: asyncio.ensure_future(slow(*of))
        for number in range(600):
            await append(it, f"c{number}", 1)
        await it.runtime.clock.sleep(1)
        collector = next(part for part in it.parts if isinstance(part, Collector))
        assert sum(map(len, collector._writing.values())) <= 256
        writing.set()
        await it.runtime.clock.sleep(1)
        assert len(await rows(it)) == 600


async def test_on_the_way_out_what_stands_in_the_log_is_written() -> None:
    async with running() as it:
        await it.runtime.clock.sleep(0.1)
        await asyncio.gather(*(append(it, f"c{number}", 1) for number in range(1000)))
        await next(part for part in it.parts if isinstance(part, Collector)).drain()
        assert len(await rows(it)) == 1000


async def test_one_that_leaves_takes_nothing_over_from_another_that_leaves() -> None:
    """Else it would have answers to write for as long as any come."""
    settings = configuration(["a"])
    async with running(settings) as it, running(settings, {}, engine=it.engine, roles=("collector",)) as other:
        await other.runtime.signals.wait("collector.assigned")
        first, second = (next(part for part in each.parts if isinstance(part, Collector)) for each in (it, other))
        writing, written = set[bytes](), asyncio.Event()
        put = other.engine.records.put

        async def held(key: bytes, rows: Sequence[Row]) -> None:
            writing.add(key)
            await written.wait()
            await put(key, rows)

        other.engine.records.put = lambda *of: asyncio.ensure_future(held(*of))
        for number in range(8):  # of both partitions
            await append(it, "a", 1, id=b"%016d" % number)
        await it.runtime.clock.sleep(0.1)
        before = set(writing)
        leaving = asyncio.create_task(second.drain())
        await it.runtime.clock.sleep(0.1)
        await first.drain()
        for number in range(8, 16):
            await append(it, "a", 1, id=b"%016d" % number)
        await it.runtime.clock.sleep(0.1)
        assert len(second._owned) == 2
        assert before
        assert writing == before
        written.set()
        await leaving


async def test_a_long_line_of_answers_that_expire_before_they_can_be_written_ends() -> None:
    async with running() as it:
        put, broken = it.engine.records.put, True

        def failing(key: bytes, rows: Sequence[Row]) -> asyncio.Future[None]:
            if not broken or key != ID:
                return put(key, rows)
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            future.set_exception(StorageUnavailable("told to fail"))
            return future

        it.engine.records.put = failing  # an outage
        for _ in range(1500):
            await append(it, "a", 1, expires=it.runtime.clock.millis() + 3000)
        await it.runtime.clock.sleep(8)
        broken = False
        lags = await it.root.upkeep.lag([it.topics[1]])
        assert sum(lag.end - lag.committed for lag in lags if lag.group == "collector") == 0
        warnings = [event for _, event, _ in it.logged if "answers not written" in event]
        assert len(warnings) < 10


async def test_that_wake_ups_are_lost_is_said_once_each_time_that_it_begins() -> None:
    async with running() as it:
        append_to, losing = it.log.append, {"a", "b", "d"}
        said = ""

        def faulty(topic: Topic, key: bytes, value: bytes) -> asyncio.Future[int]:
            if said not in losing or topic != WAKEUPS:
                return append_to(topic, key, value)
            future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            future.set_exception(StorageUnavailable("told to refuse"))
            return future

        it.log.append = faulty
        for said in "abcd":
            await append(it, said, 1)
            await it.runtime.clock.sleep(0.1)
        assert await rows(it) == dict.fromkeys("abcd", 1)
        warned = [facts["error"] for _, event, facts in it.logged if "wake-ups are lost" in event]
        assert warned == ["told to refuse"] * 2, "with the first, and again after one that was not lost"

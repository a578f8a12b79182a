"""From submit to result, over the engine `memory`, in virtual time: the main job (H1, H2, H3, H5, H7, H11)."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Collection

import pytest

from esclusa.connectors.backend import Reason
from esclusa.hub.results import PART
from esclusa.hub.snapshot import Answer, Snapshot
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import Closed, NotFound
from esclusa.kernel.instrument import Level
from esclusa.ports.records import Row
from esclusa.testing.backends import ERROR, ScriptedBackend, answers, data, hangs, waits
from esclusa.testing.virtual import settle
from support.hub import FOUND, ME, NIF, configuration, question, running

pytestmark = pytest.mark.virtual_time


async def test_a_question_goes_in_once_and_every_body_is_asked() -> None:
    bodies: dict[str, ScriptedBackend] = {}
    async with running(bodies=bodies) as process:
        receipt = await process.hub.submit(question())
        first = await process.hub.results(receipt.id, ME)
        assert (first.pending, first.query_more, first.complete) == (["a", "b", "c"], True, False)
        assert first.retry_after == 2000
        last = await process.hub.wait(receipt.id, ME, seconds=30)
        while last.query_more:
            last = await process.hub.wait(receipt.id, ME, seconds=30, tag=last.tag)
        assert last.complete
        assert [(answer.connector, answer.data, answer.attempts) for answer in last.answers] == [
            (name, FOUND, 1) for name in "abc"
        ]
        assert all(99 <= (answer.elapsed or 0) <= 101 for answer in last.answers)
    for body in bodies.values():
        received = body.attempts[0].question
        assert len(body.attempts) == 1
        assert (received.request, received.subject, received.query) == (str(receipt.id), NIF, "q")


async def test_the_receipt_says_when_it_is_over() -> None:
    async with running() as process:
        receipt = await process.hub.submit(question())
        assert receipt.deadline - receipt.created == 60_000
        assert receipt.expires - receipt.created == 600_000
        assert receipt.id.version == 7


async def test_partial_results_show_as_they_come_and_what_fails_is_named() -> None:
    async with running(configuration(query={"ttl": Duration(20)})) as process:
        clock = process.runtime.clock
        process.backends["a"].step = data(b"[1]", after=0.5)
        process.backends["b"].step = answers(ERROR, after=1)
        process.backends["c"].step = hangs
        receipt = await process.hub.submit(question())
        one = await process.hub.wait(receipt.id, ME, seconds=30)
        assert [answer.connector for answer in one.answers] == ["a"]
        two = await process.hub.wait(receipt.id, ME, seconds=30, tag=one.tag)
        assert [(answer.connector, answer.reason) for answer in two.answers] == [("a", None), ("b", Reason.BACKEND_ERROR)]
        three = await process.hub.wait(receipt.id, ME, seconds=30, tag=two.tag)
        assert not three.query_more
        assert not three.complete
        assert three.answers[2].reason is Reason.BACKEND_TIMEOUT
        assert clock.now() * 1000 < receipt.deadline


async def test_whoever_never_answers_is_no_answer_after_the_deadline_and_for_ever() -> None:
    async with running(configuration(["a", "b"])) as process:
        process.backends["b"].step = waits
        receipt = await process.hub.submit(question())
        # A back end that breaks its promise to end in time is cut; take the whole pool away instead.
        pool = next(part for part in process.parts if type(part).__name__ == "Pool")
        await settle()
        await process.runtime.clock.sleep(1)
        await pool.stop()
        await process.runtime.clock.sleep_until(receipt.deadline / 1000)
        last = await process.hub.results(receipt.id, ME)
        assert [(answer.connector, answer.reason) for answer in last.answers] == [("a", None), ("b", Reason.NO_ANSWER)]
        assert not last.query_more
        assert last.answers[0].data == FOUND
        assert await process.hub.results(receipt.id, ME) == last


async def test_nobody_concerned_is_complete_at_once() -> None:
    settings = configuration(["a"], query={"connectors": ["#none"]})
    async with running(settings) as process:
        receipt = await process.hub.submit(question())
        snapshot = await process.hub.results(receipt.id, ME)
        assert (snapshot.answers, snapshot.pending, snapshot.query_more, snapshot.complete) == ([], [], False, True)


async def test_only_who_asked_reads_and_the_rest_is_told_nothing() -> None:
    async with running() as process:
        receipt = await process.hub.submit(question())
        for act in (
            process.hub.results(receipt.id, "client:other"),
            process.hub.wait(receipt.id, "client:other", seconds=1),
            process.hub.cancel(receipt.id, "client:other"),
            anext(process.hub.follow(receipt.id, "client:other")),
        ):
            with pytest.raises(NotFound):
                await act


async def test_after_its_expiry_nothing_is_left() -> None:
    async with running() as process:
        receipt = await process.hub.submit(question())
        await process.runtime.clock.sleep_until(receipt.expires / 1000)
        with pytest.raises(NotFound):
            await process.hub.results(receipt.id, ME)
        await process.runtime.clock.sleep(15)
        assert await process.engine.records.read(receipt.id.bytes) == []
        assert not process.engine.world.secrets


async def test_what_is_personal_is_sealed_in_every_row_and_message() -> None:
    async with running() as process:
        secret = b"Calle de la Luna"
        process.backends["a"].step = data(b'{"address":"Calle de la Luna"}')
        receipt = await process.hub.submit(question())
        last = await process.hub.wait(receipt.id, ME, seconds=1)
        assert last.answers[0].data == b'{"address":"Calle de la Luna"}'
        rows = await process.engine.records.read(receipt.id.bytes)
        stored = b"".join(row.head + row.body for row in rows)
        for topic in process.topics:
            for partition in range(topic.partitions):
                async for messages in process.engine.log.read(topic, partition, 0, 1000):
                    stored += b"".join(message.value for message in messages)
        assert receipt.id.bytes in stored
        assert secret not in stored
        assert NIF.encode() not in stored


async def test_the_subject_is_masked_in_every_log_line() -> None:
    async with running() as process:
        receipt = await process.hub.submit(question())
        await process.hub.wait(receipt.id, ME, seconds=5)
        said = [str(line) for line in process.logged]
        assert any("request accepted" in line and "*****678Z"[-3:] in line for line in said)
        assert not [line for line in said if NIF in line]


async def test_one_line_at_submit_and_one_at_final() -> None:
    async with running() as process:
        receipt = await process.hub.submit(question())
        await process.runtime.clock.sleep(2)
        lines = [line for line in process.logged if line[0] == Level.INFO and line[1].startswith("request")]
        assert [event for _, event, _ in lines] == ["request accepted", "request final"]
        assert {facts["request"] for _, _, facts in lines} == {str(receipt.id)}


async def test_answers_are_followed_as_events_and_taken_up_again_anywhere() -> None:
    async with running() as process:
        for place, name in enumerate("abc"):
            process.backends[name].step = data(FOUND, after=place + 1)
        receipt = await process.hub.submit(question())
        events: list[tuple[str, Answer | Snapshot]] = []
        async for event in process.hub.follow(receipt.id, ME):
            events.append(event)
            if len(events) == 2:
                break
        rest = [event async for event in process.hub.follow(receipt.id, ME, after=events[-1][0])]
        told = [one.connector for _, one in events + rest if isinstance(one, Answer)]
        assert told == ["a", "b", "c"]
        last_id, last = rest[-1]
        assert isinstance(last, Snapshot)
        assert last.complete
        assert last_id.endswith("-f")
        assert [event async for event in process.hub.follow(receipt.id, ME, after=last_id)] == []


async def test_a_slow_reader_of_a_stream_holds_little_of_what_is_still_to_come() -> None:
    size = 200_000
    names = [f"c{n:02}" for n in range(16)]
    async with running(configuration(names)) as process:
        for name in names:
            process.backends[name].step = data(b'"%b"' % (b"x" * size), after=1)
        receipt = await process.hub.submit(question())
        await process.hub.wait(receipt.id, ME, seconds=5, data=False)
        await settle()
        told, held = [], []
        tracemalloc.start()
        try:
            async for _, one in process.hub.follow(receipt.id, ME):
                held.append(tracemalloc.get_traced_memory()[0])
                if isinstance(one, Answer):
                    told.append(one.connector)
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert sorted(told) == names
        assert max(held) < PART + 2 * size
        assert most < 6 * size


async def test_answers_of_all_sizes_are_followed_once_each_and_in_few_reads() -> None:
    names = [f"c{n:02}" for n in range(64)]
    large = set(names[40:48])
    async with running(configuration(names)) as process:
        for name in names:
            process.backends[name].step = data(b'"%b"' % (b"x" * (100_000 if name in large else 10)), after=1)
        receipt = await process.hub.submit(question())
        last = await process.hub.wait(receipt.id, ME, seconds=5, data=False)
        while last.query_more:
            last = await process.hub.wait(receipt.id, ME, seconds=5, tag=last.tag, data=False)
        reads = []
        read = process.engine.records.read

        def counting(key: bytes, bodies: bool | Collection[str] = True) -> asyncio.Future[list[Row]]:
            reads.append(bodies)
            return read(key, bodies)

        process.engine.records.read = counting
        events = [one async for _, one in process.hub.follow(receipt.id, ME)]
        answers_ = [one for one in events if isinstance(one, Answer)]
        assert sorted(one.connector for one in answers_) == names
        assert all(len(one.data or b"") == (100_002 if one.connector in large else 12) for one in answers_)
        assert len(reads) < 10


async def test_events_work_with_no_wake_ups_at_all() -> None:
    async with running() as process:
        process.wired.wakeups._listen = None  # type: ignore[assignment]  # it never listens
        await process.wired.wakeups.stop()
        receipt = await process.hub.submit(question())
        events = [one async for _, one in process.hub.follow(receipt.id, ME)]
        assert isinstance(events[-1], Snapshot)
        assert process.runtime.clock.now() * 1000 - receipt.created < 2500


async def test_a_wait_ends_with_what_there_is() -> None:
    async with running() as process:
        for body in process.backends.values():
            body.step = hangs
        receipt = await process.hub.submit(question())
        before = process.runtime.clock.now()
        snapshot = await process.hub.wait(receipt.id, ME, seconds=5)
        assert 5 <= process.runtime.clock.now() - before < 5.1
        assert snapshot.query_more


async def test_a_request_of_two_pools_is_asked_in_both() -> None:
    settings = configuration(["a", "b"], connectors={"b": {"pool": "south"}}, pools=["default", "south"])
    async with running(settings) as process:
        receipt = await process.hub.submit(question())
        await process.runtime.clock.sleep(1)
        assert (await process.hub.results(receipt.id, ME)).complete


async def test_a_subset_is_asked_again() -> None:
    async with running() as process:
        receipt = await process.hub.submit(question(connectors=["b"]))
        await process.runtime.clock.sleep(1)
        snapshot = await process.hub.results(receipt.id, ME)
        assert [answer.connector for answer in snapshot.answers] == ["b"]
        assert not process.backends["a"].attempts


async def test_draining_ends_waits_early() -> None:
    async with running() as process:
        for body in process.backends.values():
            body.step = waits
        receipt = await process.hub.submit(question())
        waiting = asyncio.ensure_future(process.hub.wait(receipt.id, ME, seconds=30))
        await settle()
        before = process.runtime.clock.now()
        await process.wired.wakeups.drain()
        assert (await waiting).query_more
        assert process.runtime.clock.now() - before < 0.1


async def test_closed_ports_are_an_error_that_says_so() -> None:
    async with running() as process:
        pass
    with pytest.raises(Closed):
        await process.engine.records.read(b"x" * 16)

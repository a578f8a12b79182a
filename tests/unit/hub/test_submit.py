"""Durable first, then the technical OK; one idempotency key is one request (H1, H8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from esclusa.hub.stored import ASKED
from esclusa.hub.submission import Receipt, Submission
from esclusa.hub.submit import Submitter
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import (
    IdempotencyMismatch,
    InvalidParams,
    InvalidSubject,
    NotFound,
    StorageUnavailable,
    TooManyOpen,
    Unavailable,
    UnknownQuery,
)
from esclusa.ports.records import Row
from esclusa.testing.backends import waits
from esclusa.testing.virtual import settle
from support.hub import ME, NIF, Process, configuration, question, running

pytestmark = pytest.mark.virtual_time

KEYED = question(idempotency_key="k1")


async def envelopes(it: Process) -> int:
    topic = it.topics[0]
    return sum([await it.root.log.end(topic, partition) for partition in range(topic.partitions)])


def failing(port: Any, method: str, times: int = 1) -> Callable[[], None]:
    """The next calls of a port's method fail, though what they asked for may have happened."""
    original = getattr(port, method)
    left = times

    def call(*arguments: Any) -> asyncio.Future[Any]:
        nonlocal left
        if not left:
            return original(*arguments)  # type: ignore[no-any-return]
        left -= 1
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.set_exception(StorageUnavailable("told to fail"))
        return future

    setattr(port, method, call)
    return lambda: setattr(port, method, original)


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"query": "nothing"}, UnknownQuery),
        ({"subject": "12345678A"}, InvalidSubject),
        ({"params": {"x": 1}}, InvalidParams),
        ({"connectors": ["z"]}, InvalidParams),
    ],
)
async def test_what_is_badly_put_is_refused_and_nothing_is_stored(wrong: dict[str, Any], refusal: type[Exception]) -> None:
    async with running() as it:
        with pytest.raises(refusal):
            await it.hub.submit(question(**wrong))
        assert await envelopes(it) == 0


async def test_one_envelope_a_pool_however_many_connectors() -> None:
    settings = configuration(list("abcdef"), connectors={"f": {"pool": "south"}}, pools=["default", "south"])
    async with running(settings) as it:
        await it.hub.submit(question())
        ends = [await it.root.log.end(topic, p) for topic in it.topics if "requests" in topic.name for p in range(2)]
        assert sum(ends) == 2


async def test_the_same_key_and_body_is_the_same_request_asked_once() -> None:
    async with running() as it:
        first = await it.hub.submit(KEYED)
        await it.runtime.clock.sleep(2)
        assert await it.hub.submit(KEYED) == first
        assert await envelopes(it) == 1
        assert len(it.backends["a"].attempts) == 1


async def test_two_at_a_time_are_one_request() -> None:
    async with running() as it:
        receipts: list[Receipt] = await asyncio.gather(*(it.hub.submit(KEYED) for _ in range(4)))
        assert len({receipt.id for receipt in receipts}) == 1
        await it.runtime.clock.sleep(2)
        assert {name: len(body.attempts) for name, body in it.backends.items()} == {"a": 1, "b": 1, "c": 1}


async def test_the_same_key_with_another_body_is_refused() -> None:
    async with running() as it:
        await it.hub.submit(KEYED)
        for other in ({"subject": "X1234567L"}, {"connectors": ["a"]}):
            with pytest.raises(IdempotencyMismatch):
                await it.hub.submit(question(idempotency_key="k1", **other))


async def test_another_caller_may_use_the_same_key() -> None:
    async with running() as it:
        first = await it.hub.submit(KEYED)
        other = await it.hub.submit(Submission(caller="client:other", query="q", subject=NIF, idempotency_key="k1"))
        assert first.id != other.id


async def test_a_key_lives_as_long_as_its_request() -> None:
    async with running() as it:
        first = await it.hub.submit(KEYED)
        await it.runtime.clock.sleep_until(first.expires / 1000 + 1)
        assert (await it.hub.submit(KEYED)).id != first.id


@pytest.mark.parametrize(("port", "method"), [("records", "add"), ("records", "put"), ("log", "append")])
async def test_storage_that_fails_is_unavailable_and_a_repetition_makes_it_whole(port: str, method: str) -> None:
    async with running() as it:
        target = it.log if port == "log" else it.engine.records
        undo = failing(target, method)
        with pytest.raises(Unavailable):
            await it.hub.submit(KEYED)
        undo()
        receipt = await it.hub.submit(KEYED)
        await it.runtime.clock.sleep(1)
        assert (await it.hub.results(receipt.id, ME)).complete
        assert {name: len(body.attempts) for name, body in it.backends.items()} == {"a": 1, "b": 1, "c": 1}


async def test_a_repetition_asks_the_pools_that_were_asked_first_whatever_is_configured_by_then() -> None:
    pools = ["default", "south"]
    before = configuration(["a", "b"], connectors={"b": {"pool": "south"}}, pools=pools)
    after = configuration(["a", "b"], pools=pools)
    async with running(before) as first, running(after, {}, engine=first.engine, roles=("hub",)) as second:
        put, puts = first.engine.records.put, 0

        def flaky(key: bytes, rows: Any) -> asyncio.Future[None]:
            nonlocal puts
            puts += 1
            if puts == 2:  # the mark that it is asked
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                future.set_exception(StorageUnavailable("told to fail"))
                return future
            return put(key, rows)

        first.engine.records.put = flaky  # type: ignore[method-assign]
        with pytest.raises(Unavailable):
            await first.hub.submit(KEYED)
        receipt = await second.hub.submit(KEYED)
        await first.runtime.clock.sleep(1)
        assert (await second.hub.results(receipt.id, ME)).complete
        assert {name: len(body.attempts) for name, body in first.backends.items()} == {"a": 1, "b": 1}
        ends = {topic.name: [await second.root.log.end(topic, partition) for partition in range(2)] for topic in first.topics}
        assert {name: sum(end) for name, end in ends.items() if name.startswith("requests.")} == {
            "requests.default": 2,
            "requests.south": 2,
        }


async def test_the_connectors_of_a_pool_that_is_gone_are_asked_where_they_are_served_now() -> None:
    before = configuration(["a", "b"], connectors={"b": {"pool": "south"}}, pools=["default", "south"])
    after = configuration(["a", "b"])
    async with running(before, roles=("hub",)) as first:
        undo = failing(first.log, "append", times=2)
        with pytest.raises(Unavailable):
            await first.hub.submit(KEYED)
        undo()
        async with running(after, {}, engine=first.engine) as second:
            receipt = await second.hub.submit(KEYED)
            await second.runtime.clock.sleep(1)
            assert (await second.hub.results(receipt.id, ME)).complete
            assert await envelopes(second) == 1


async def test_a_process_that_drains_takes_no_more_questions_and_says_what_it_knows() -> None:
    async with running() as it:
        receipt = await it.hub.submit(KEYED)
        await it.runtime.clock.sleep(1)
        for part in it.parts:
            if isinstance(part, Submitter):
                await part.drain()
        before = await envelopes(it)
        with pytest.raises(Unavailable):
            await it.hub.submit(question(idempotency_key="k2"))
        assert await envelopes(it) == before
        assert (await it.hub.results(receipt.id, ME)).complete
        await it.hub.cancel(receipt.id, ME)


async def test_a_refused_submission_holds_no_place_of_its_subject() -> None:
    async with running(configuration(hub={"max_open_per_subject": 1})) as it:
        undo = failing(it.log, "append")
        with pytest.raises(Unavailable):
            await it.hub.submit(question())
        undo()
        await it.hub.submit(question())


async def test_a_repetition_past_call_by_of_what_was_never_asked_is_refused() -> None:
    async with running() as it:
        undo = failing(it.log, "append")
        with pytest.raises(Unavailable):
            await it.hub.submit(KEYED)
        undo()
        await it.runtime.clock.sleep(59.5)
        with pytest.raises(Unavailable):
            await it.hub.submit(KEYED)
        assert await envelopes(it) == 0


async def test_an_envelope_acknowledged_past_call_by_is_no_202() -> None:
    async with running(configuration(query={"ttl": Duration(2)})) as it:
        append = it.log.append

        def late(*arguments: Any) -> asyncio.Future[int]:
            async def slow() -> int:
                await it.runtime.clock.sleep(1.9)
                return await append(*arguments)

            return asyncio.ensure_future(slow())

        it.log.append = late  # type: ignore[method-assign]
        with pytest.raises(Unavailable):
            await it.hub.submit(question())


async def test_what_is_asked_counts_though_it_was_refused_in_the_end() -> None:
    """Else whoever is refused again and again would have more open than anybody may."""
    async with running(configuration(query={"ttl": Duration(60)}, hub={"max_open_per_subject": 2})) as it:
        for backend in it.backends.values():
            backend.step = waits
        put = it.engine.records.put

        def refuses_asked(key: bytes, rows: Sequence[Row]) -> asyncio.Future[None]:
            if rows[0].name == ASKED:
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                future.set_exception(StorageUnavailable("told to refuse"))
                return future
            return put(key, rows)

        it.engine.records.put = refuses_asked  # type: ignore[method-assign]
        for number in range(2):
            with pytest.raises(Unavailable):
                await it.hub.submit(question(idempotency_key=f"{number}"))
        with pytest.raises(TooManyOpen):
            await it.hub.submit(question(idempotency_key="more"))


async def test_storage_that_never_answers_is_given_up_after_three_seconds() -> None:
    async with running() as it:
        it.engine.records.put = lambda *_: asyncio.get_running_loop().create_future()  # type: ignore[method-assign]
        before = it.runtime.clock.now()
        with pytest.raises(Unavailable):
            await it.hub.submit(question())
        assert 3 <= it.runtime.clock.now() - before < 3.1


async def test_cancelled_stays_gone_whatever_is_written_later() -> None:
    async with running() as it:
        it.backends["a"].step = waits
        receipt = await it.hub.submit(KEYED)
        await settle()
        await it.hub.cancel(receipt.id, ME)
        await it.runtime.clock.sleep(3)
        assert await it.hub.submit(KEYED) == receipt
        for act in (it.hub.results(receipt.id, ME), it.hub.cancel(receipt.id, ME)):
            with pytest.raises(NotFound):
                await act
        assert await it.engine.records.read(receipt.id.bytes) == []


async def test_settle_is_at_most_a_quarter_of_the_ttl() -> None:
    async with running(configuration(query={"ttl": Duration(2)})) as it:
        it.backends["a"].step = waits
        receipt = await it.hub.submit(question())
        await settle()
        by = it.backends["a"].attempts[0].by
        assert by * 1000 == pytest.approx(receipt.created + 1500, abs=2)


async def test_the_places_of_a_subject_hold_for_submissions_at_once() -> None:
    async with running() as it:
        for body in it.backends.values():
            body.step = waits
        told = await asyncio.gather(
            *(it.hub.submit(question(idempotency_key=f"k{n}")) for n in range(30)), return_exceptions=True
        )
        assert sum(isinstance(one, Receipt) for one in told) == 5
        assert sum(isinstance(one, TooManyOpen) for one in told) == 25


async def test_a_repetition_of_what_was_asked_needs_no_place() -> None:
    async with running(configuration(hub={"max_open_per_subject": 1})) as it:
        for body in it.backends.values():
            body.step = waits
        first = await it.hub.submit(KEYED)
        assert await it.hub.submit(KEYED) == first
        with pytest.raises(TooManyOpen):
            await it.hub.submit(question(idempotency_key="k2"))


async def test_a_repetition_that_fails_leaves_the_first_ones_place() -> None:
    async with running(configuration(hub={"max_open_per_subject": 1})) as it:
        for body in it.backends.values():
            body.step = waits
        await it.hub.submit(KEYED)
        with pytest.raises(IdempotencyMismatch):
            await it.hub.submit(question(idempotency_key="k1", connectors=["a"]))
        with pytest.raises(TooManyOpen):
            await it.hub.submit(question())


async def test_a_subject_is_not_kept_out_by_lost_wake_ups() -> None:
    async with running(configuration(hub={"max_open_per_subject": 1})) as it:
        await it.wired.waits.stop()
        await it.hub.submit(question())
        await it.runtime.clock.sleep(1)
        await it.hub.submit(question())


async def test_a_key_whose_storing_failed_is_the_one_that_is_tried_again() -> None:
    async with running() as it:
        made: list[bytes] = []
        make = it.engine.keys.make

        def flaky(id: bytes, secret: bytes, dies: int) -> asyncio.Future[None]:
            made.append(id)
            if len(made) < 5:
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                future.set_exception(StorageUnavailable("told to fail"))
                return future
            return make(id, secret, dies)

        it.engine.keys.make = flaky  # type: ignore[method-assign]  # an outage
        told = await asyncio.gather(*(it.hub.submit(question()) for _ in range(8)), return_exceptions=True)
        assert sum(isinstance(one, Unavailable) for one in told) == 4
        assert len(set(made)) == 1


async def test_a_final_state_can_be_read_for_a_while_even_if_nothing_is_kept() -> None:
    async with running(configuration(query={"keep": Duration(60)})) as it:
        receipt = await it.hub.submit(question())
        assert receipt.expires - receipt.deadline == 5000

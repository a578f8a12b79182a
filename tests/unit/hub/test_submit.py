"""Durable first, then the technical OK (H1)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from esclusa.hub.stored import ACKNOWLEDGED
from esclusa.hub.submission import Receipt
from esclusa.hub.submit import Submitter
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import (
    InvalidParams,
    InvalidSubject,
    StorageUnavailable,
    TooManyOpen,
    Unavailable,
    UnknownQuery,
)
from esclusa.ports.log import Topic
from esclusa.ports.records import Row
from esclusa.testing.backends import waits
from esclusa.testing.virtual import settle
from support.hub import ME, configuration, envelopes, failing, question, running

pytestmark = pytest.mark.virtual_time

KEYED = question(idempotency_key="k1")


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


async def test_an_envelope_acknowledged_past_call_by_is_no_202() -> None:
    async with running(configuration(query={"ttl": Duration(2)})) as it:
        append = it.log.append

        def late(topic: Topic, key: bytes, value: bytes) -> asyncio.Future[int]:
            async def slow() -> int:
                await it.runtime.clock.sleep(1.9)
                return await append(topic, key, value)

            return asyncio.ensure_future(slow())

        it.log.append = late
        with pytest.raises(Unavailable):
            await it.hub.submit(question())


async def test_what_is_asked_counts_though_it_was_refused_in_the_end() -> None:
    """Else whoever is refused again and again would have more open than anybody may."""
    async with running(configuration(query={"ttl": Duration(60)}, hub={"max_open_per_subject": 2})) as it:
        for backend in it.backends.values():
            backend.step = waits
        put = it.engine.records.put

        def refuses_asked(key: bytes, rows: Sequence[Row]) -> asyncio.Future[None]:
            if rows[0].name == ACKNOWLEDGED:
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                future.set_exception(StorageUnavailable("told to refuse"))
                return future
            return put(key, rows)

        it.engine.records.put = refuses_asked
        for number in range(2):
            with pytest.raises(Unavailable):
                await it.hub.submit(question(idempotency_key=f"{number}"))
        with pytest.raises(TooManyOpen):
            await it.hub.submit(question(idempotency_key="more"))


async def test_storage_that_never_answers_is_given_up_after_three_seconds() -> None:
    async with running() as it:
        it.engine.records.put = lambda *_: asyncio.get_running_loop().create_future()
        before = it.runtime.clock.now()
        with pytest.raises(Unavailable):
            await it.hub.submit(question())
        assert 3 <= it.runtime.clock.now() - before < 3.1


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


async def test_a_subject_is_not_kept_out_by_lost_wake_ups() -> None:
    async with running(configuration(hub={"max_open_per_subject": 1})) as it:
        await it.wired.wakeups.stop()
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

        it.engine.keys.make = flaky  # an outage
        told = await asyncio.gather(*(it.hub.submit(question()) for _ in range(8)), return_exceptions=True)
        assert sum(isinstance(one, Unavailable) for one in told) == 4
        assert len(set(made)) == 1


async def test_a_final_state_can_be_read_for_a_while_even_if_nothing_is_kept() -> None:
    async with running(configuration(query={"keep": Duration(60)})) as it:
        receipt = await it.hub.submit(question())
        assert receipt.expires - receipt.deadline == 5000

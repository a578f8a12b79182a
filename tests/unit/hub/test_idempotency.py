"""One idempotency key is one request, asked once (H8)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from esclusa.hub.submission import Receipt, Submission
from esclusa.kernel.errors import (
    IdempotencyMismatch,
    StorageUnavailable,
    TooManyOpen,
    Unavailable,
)
from esclusa.testing.backends import waits
from support.hub import ME, NIF, configuration, envelopes, failing, question, running

pytestmark = pytest.mark.virtual_time

KEYED = question(idempotency_key="k1")


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

        first.engine.records.put = flaky
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

"""The consuming side: lines, time, one call per request and back end, recovery, hand-over (H11, H14, H15, H20)."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import msgspec
import pytest

from esclusa.config.settings import Configuration
from esclusa.connectors.backend import Reason
from esclusa.engines.inprocess.subscription import Listener
from esclusa.hub.pack import recorded
from esclusa.hub.pool import Pool
from esclusa.hub.recovery import Recovery
from esclusa.hub.settings import PoolSettings
from esclusa.hub.stored import Answers, Envelope, Times, decode, encode
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import Closed, StorageUnavailable
from esclusa.kernel.instrument import Level
from esclusa.ports.log import Assigned, Delivered, Event, Revoked, Subscription, Topic, partition_of
from esclusa.testing.backends import ERROR, ScriptedBackend, answers, data, waits
from esclusa.testing.virtual import EPOCH, settle
from support.hub import FOUND, ME, Process, configuration, process, question, running

pytestmark = pytest.mark.virtual_time


def calls(*sets: dict[str, ScriptedBackend]) -> dict[str, int]:
    names = {name for bodies in sets for name in bodies}
    return {name: sum(len(bodies[name].attempts) for bodies in sets) for name in names}


def the_pool(it: Process) -> Pool:
    return next(part for part in it.parts if isinstance(part, Pool))


async def test_nothing_is_called_in_the_last_second_before_the_deadline() -> None:
    settings = configuration(["a"], connectors={"a": {"concurrency": 1, "timeout": Duration(300)}})
    async with running(settings) as it:
        it.backends["a"].step = waits
        await it.hub.submit(question())
        second = await it.hub.submit(question())
        await it.runtime.clock.sleep_until(second.deadline / 1000 - 1 + 0.15)
        snapshot = await it.hub.results(second.id, ME)
        assert [answer.reason for answer in snapshot.answers] == [Reason.PLATFORM_TIMEOUT]
        assert len(it.backends["a"].attempts) == 1
        assert any(level == Level.WARN and "platform_timeout" in str(facts) for level, _, facts in it.logged)


async def test_an_envelope_older_than_its_time_is_platform_timeout_and_past_its_expiry_nothing() -> None:
    async with running(configuration(["a"])) as it:
        now = it.runtime.clock.millis()
        sealer = await it.vault.sealer(now + 60_000)
        for id, times in (
            (b"late" * 4, Times(now - 60_000, now - 1000, now, now + 60_000)),
            (b"gone" * 4, Times(now - 600_000, now - 541_000, now - 540_000, now - 1)),
        ):
            sealed = sealer.seal(it.question(), id)
            await it.engine.log.append(it.topics[0], id, encode(Envelope(1, id, times, ["a"], sealed, 9**9)))
        await it.runtime.clock.sleep(1)
        assert recorded(b"late" * 4, await it.engine.records.read(b"late" * 4)).keys() == {"a"}
        assert await it.engine.records.read(b"gone" * 4) == []
        assert not it.backends["a"].attempts
        assert await it.committed() == 2


async def test_a_connector_that_this_process_does_not_know_is_rejected_by_name() -> None:
    settings = configuration(["a"])
    async with running(settings) as it:
        now = it.runtime.clock.millis()
        times = Times(now, now + 59_000, now + 60_000, now + 600_000)
        sealed = (await it.vault.sealer(times.expires)).seal(it.question(), b"i" * 16)
        await it.engine.log.append(it.topics[0], b"i" * 16, encode(Envelope(1, b"i" * 16, times, ["a", "new"], sealed, 9**9)))
        await it.runtime.clock.sleep(1)
        found = recorded(b"i" * 16, await it.engine.records.read(b"i" * 16))
        assert found.keys() == {"a", "new"}
        assert found["new"].head.detail == "Not served here"


@pytest.mark.parametrize(
    "value",
    [b"", b"\xff\xff", encode(("x", 1)), encode(Envelope(1, b"i" * 16, Times(0, 9**14, 9**14, 9**14), ["a"], b"z" * 60, 9))],
)
async def test_what_cannot_be_decoded_or_opened_is_counted_and_settled(value: bytes) -> None:
    async with running(configuration(["a"])) as it:
        await it.engine.log.append(it.topics[0], b"i" * 16, value)
        receipt = await it.hub.submit(question())
        await it.runtime.clock.sleep(1)
        assert (await it.hub.results(receipt.id, ME)).complete
        assert sum(it.runtime.instrument.counters["esclusa_hub_unreadable_total"].values.values()) == 1
        assert await it.committed() == 2


async def test_answers_at_hand_together_share_a_message() -> None:
    async with running(configuration([f"c{n}" for n in range(20)])) as it:
        await it.runtime.clock.sleep(2)
        await it.hub.submit(question())
        await it.runtime.clock.sleep(1)
        assert sum([await it.engine.log.end(it.topics[1], partition) for partition in range(2)]) == 1


async def test_after_a_crash_what_was_unfinished_is_taken_over_and_the_rest_is_not_asked_again() -> None:
    one: dict[str, ScriptedBackend] = {}
    two: dict[str, ScriptedBackend] = {}
    async with running(bodies=one) as first:
        one["b"].step = waits
        receipt = await first.hub.submit(question())
        await first.runtime.clock.sleep(0.5)
        second = process(first.settings, two, engine=first.engine)
        await first.kill()
        async with second.lifecycle:
            for partition in range(2):
                await second.runtime.signals.wait("pool.recovered", partition=partition)
            snapshot = await second.hub.wait(receipt.id, ME, seconds=5)
            assert snapshot.complete
    assert calls(one, two) == {"a": 1, "b": 2, "c": 1}


async def test_an_answer_that_the_log_has_is_not_asked_for_again_even_if_no_row_was_written() -> None:
    one: dict[str, ScriptedBackend] = {}
    two: dict[str, ScriptedBackend] = {}
    async with running(bodies=one, roles=("hub", "connectors")) as first:
        one["b"].step = waits
        receipt = await first.hub.submit(question())
        await first.runtime.clock.sleep(0.5)
        await first.kill()
        assert not (await first.root.records.read(receipt.id.bytes, {"a"}))[0].name.startswith("a")
        async with running(first.settings, two, engine=first.engine) as second:
            await second.runtime.clock.sleep(2)
            assert (await second.hub.results(receipt.id, ME)).complete
    assert calls(one, two) == {"a": 1, "b": 2, "c": 1}


async def test_an_answer_that_the_log_has_is_found_though_the_log_tells_an_old_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """As does a broker that was stopped, and hasn't heard yet that another one leads."""
    one: dict[str, ScriptedBackend] = {}
    two: dict[str, ScriptedBackend] = {}
    async with running(bodies=one, roles=("hub", "connectors")) as first:
        one["b"].step = waits
        receipt = await first.hub.submit(question())
        await first.runtime.clock.sleep(0.5)
        await first.kill()
        second = process(first.settings, two, engine=first.engine)

        async def old(*_: object) -> int:
            return 0

        monkeypatch.setattr(second.log, "end", old)
        monkeypatch.setattr(
            "esclusa.hub.request_partition.RequestPartition.end", property(lambda _: 0, lambda *_: None), raising=False
        )
        async with second.lifecycle:
            await second.runtime.clock.sleep(2)
            assert (await second.hub.results(receipt.id, ME)).complete
    assert calls(one, two) == {"a": 1, "b": 2, "c": 1}


async def test_what_stands_in_the_log_twice_is_asked_once() -> None:
    """A log that acknowledged an append late may have taken it twice, whoever appended it."""
    one: dict[str, ScriptedBackend] = {}
    two: dict[str, ScriptedBackend] = {}
    async with running(bodies=one) as first:
        await first.runtime.clock.sleep(2)
        receipt = await first.hub.submit(question())
        await first.runtime.clock.sleep(1)
        topic = first.topics[0]
        number = partition_of(receipt.id.bytes, topic.partitions)

        async def again() -> None:
            (message,) = [each async for batch in first.root.log.read(topic, number, 0, 1) for each in batch]
            await first.root.log.append(topic, message.key, message.value)
            await first.runtime.clock.sleep(2)

        await again()
        await first.kill()
        async with running(first.settings, two, engine=first.engine) as second:
            for partition in range(2):
                await second.runtime.signals.wait("pool.recovered", partition=partition)
            await again()
            assert await second.committed() == 3
    assert calls(one, two) == {"a": 1, "b": 1, "c": 1}


async def test_a_process_whose_clock_is_ahead_finds_the_answers_of_one_that_is_behind() -> None:
    one: dict[str, ScriptedBackend] = {}
    two: dict[str, ScriptedBackend] = {}
    async with running(bodies={}, roles=("hub", "collector")) as hub:
        async with running(hub.settings, one, engine=hub.engine, roles=("connectors",), skew=-0.9) as behind:
            one["b"].step = waits
            receipt = await hub.hub.submit(question())
            await hub.runtime.clock.sleep(0.5)
            await behind.kill()
        async with running(hub.settings, two, engine=hub.engine, roles=("connectors",), skew=0.05):
            await hub.runtime.clock.sleep(2)
            assert (await hub.hub.results(receipt.id, ME)).complete
    assert calls(one, two) == {"a": 1, "b": 2, "c": 1}


async def test_new_requests_do_not_wait_for_the_recovery_of_old_ones() -> None:
    one: dict[str, ScriptedBackend] = {}
    two: dict[str, ScriptedBackend] = {}
    settings = configuration(["a"])
    async with running(settings, one) as first:
        one["a"].step = waits
        old = await first.hub.submit(question())
        await first.runtime.clock.sleep(3)
        await first.kill()
        second = process(settings, two, engine=first.engine)
        stuck = asyncio.Event()
        second.log.hold_reads(stuck)
        async with second.lifecycle:
            await second.runtime.clock.sleep(2)
            new = await second.hub.submit(question())
            await second.runtime.clock.sleep(1)
            assert (await second.hub.results(new.id, ME)).complete
            assert (await second.hub.results(old.id, ME)).pending == ["a"]
            stuck.set()
            await second.runtime.clock.sleep(1)
            assert (await second.hub.results(old.id, ME)).complete


async def test_a_second_process_shares_the_work_and_each_body_is_called_once() -> None:
    one: dict[str, ScriptedBackend] = {}
    two: dict[str, ScriptedBackend] = {}
    async with running(bodies=one) as first, running(first.settings, two, engine=first.engine) as second:
        await second.runtime.signals.wait("pool.assigned")
        receipts = [
            await hub.hub.submit(question(subject=f"X{n:07}{'TRWAGMYFPDXBNJZSQVHLCKE'[n % 23]}"))
            for n, hub in enumerate([first, second] * 10)
        ]
        await first.runtime.clock.sleep(2)
        for receipt in receipts:
            assert (await first.hub.results(receipt.id, ME)).complete
        assert calls(one, two) == {"a": 20, "b": 20, "c": 20}
        assert all(calls(one).values())
        assert all(calls(two).values())


async def test_on_the_way_out_what_is_called_is_finished_and_what_waits_is_left_to_the_next() -> None:
    settings = configuration(["a"], connectors={"a": {"concurrency": 1}})
    one: dict[str, ScriptedBackend] = {}
    two: dict[str, ScriptedBackend] = {}
    first = process(settings, one)
    async with running(settings, {}, engine=first.engine, roles=("hub", "collector")) as hub:
        await first.lifecycle.start()
        one["a"].step = data(FOUND, after=3)
        receipts = [await hub.hub.submit(question()) for _ in range(2)]
        await hub.runtime.clock.sleep(1)
        await first.lifecycle.close()
        await first.runtime.signals.wait("pool.retired")
        assert [(await hub.hub.results(receipt.id, ME)).complete for receipt in receipts].count(True) == 1
        async with running(settings, two, engine=first.engine, roles=("connectors",)):
            await hub.runtime.clock.sleep(2)
            assert all([(await hub.hub.results(receipt.id, ME)).complete for receipt in receipts])
    assert calls(one, two) == {"a": 2}


async def test_a_drain_lasts_so_long_and_a_call_cut_by_it_is_made_again() -> None:
    settings = configuration(["a"])
    one: dict[str, ScriptedBackend] = {}
    first = process(settings, one)
    async with running(settings, {}, engine=first.engine, roles=("hub", "collector")) as hub:
        await first.lifecycle.start()
        one["a"].step = waits
        receipt = await hub.hub.submit(question())
        await hub.runtime.clock.sleep(1)
        before = hub.runtime.clock.now()
        await first.lifecycle.close()
        assert 5 <= hub.runtime.clock.now() - before < 5.2
        async with running(settings, {}, engine=first.engine, roles=("connectors",)):
            await hub.runtime.clock.sleep(1)
            assert (await hub.hub.results(receipt.id, ME)).complete


async def test_cancel_reaches_the_line_and_cuts_what_is_safe_to_cut() -> None:
    settings = configuration(["a"], connectors={"a": {"concurrency": 1}})
    async with running(settings) as it:
        it.backends["a"].step = waits
        receipts = [await it.hub.submit(question()) for _ in range(2)]
        await settle()
        await it.hub.cancel(receipts[1].id, ME)
        await it.runtime.clock.sleep(0.1)
        assert it.connectors["a"].waiting == 0
        await it.hub.cancel(receipts[0].id, ME)
        await it.runtime.clock.sleep(0.1)
        assert it.connectors["a"].running == 0
        assert it.backends["a"].attempts[0].aborted
        await it.runtime.clock.sleep(1)
        assert await it.committed() == 2
        assert [row for receipt in receipts for row in await it.engine.records.read(receipt.id.bytes)] == []


async def test_lines_are_bounded_in_bytes_and_above_that_consuming_pauses() -> None:
    settings = configuration(
        ["a"], connectors={"a": {"concurrency": 1}}, hub={"lines_bytes": 1000, "max_open_per_subject": 100}
    )
    async with running(settings) as it:
        it.backends["a"].step = waits
        for _ in range(40):
            await it.hub.submit(question())
        await settle()
        assert it.connectors["a"].waiting < 20
        it.backends["a"].step = data(FOUND)
        it.backends["a"].attempts[0].answer()
        await it.runtime.clock.sleep(5)
        assert len(it.backends["a"].attempts) == 40


async def test_answers_that_the_log_refuses_are_kept_and_appended_later() -> None:
    it = process(configuration(), {})
    async with it.lifecycle:
        receipt = await it.hub.submit(question())
        it.log.refuse = True
        await it.runtime.clock.sleep(1)
        assert (await it.hub.results(receipt.id, ME)).pending == ["a", "b", "c"]
        assert await it.committed() == 0
        it.log.refuse = False
        await it.runtime.clock.sleep(1)
        assert (await it.hub.results(receipt.id, ME)).complete
        assert await it.committed() == 1
    assert calls(it.backends) == {"a": 1, "b": 1, "c": 1}


async def test_what_cannot_be_read_now_is_read_later() -> None:
    it = process(configuration(), {})
    it.log.unreadable = 7
    async with it.lifecycle:
        receipt = await it.hub.submit(question())
        await it.runtime.clock.sleep(2)
        assert (await it.hub.results(receipt.id, ME)).complete
        assert it.log.unreadable == 0


async def test_all_answers_of_a_request_are_bounded_together() -> None:
    async with running(configuration(hub={"max_request": 100, "max_answer": 52})) as it:
        for name in "abc":
            it.backends[name].step = data(b'"' + b"x" * 50 + b'"')
        receipt = await it.hub.submit(question())
        await it.runtime.clock.sleep(1)
        snapshot = await it.hub.results(receipt.id, ME)
        reasons = [answer.reason for answer in snapshot.answers]
        assert reasons.count(None) == 1
        assert reasons.count(Reason.BACKEND_ERROR) == 2
        assert {answer.detail for answer in snapshot.answers} == {"", "The answer is too large"}


async def test_a_breaker_opened_by_some_spares_the_others() -> None:
    settings = configuration(["a"], hub={"max_open_per_subject": 100})
    async with running(settings) as it:
        it.backends["a"].step = answers(ERROR)
        for _ in range(5):
            await it.hub.submit(question())
            await it.runtime.clock.sleep(0.1)
        receipt = await it.hub.submit(question())
        await it.runtime.clock.sleep(0.1)
        assert (await it.hub.results(receipt.id, ME)).answers[0].reason is Reason.CIRCUIT_OPEN
        assert len(it.backends["a"].attempts) == 5


async def test_a_partition_taken_away_during_its_recovery_is_the_next_owners() -> None:
    one: dict[str, ScriptedBackend] = {}
    async with running(configuration(["a"]), one) as first:
        one["a"].step = waits
        old = await first.hub.submit(question())
        await first.runtime.clock.sleep(0.5)
        await first.kill()
        second = process(first.settings, {}, engine=first.engine)
        stuck = asyncio.Event()
        second.log.hold_reads(stuck)
        async with second.lifecycle:
            await second.runtime.clock.sleep(1)
            third = process(first.settings, {}, engine=first.engine)
            async with third.lifecycle:
                await third.runtime.clock.sleep(6)
                stuck.set()
                await third.runtime.clock.sleep(1)
                assert second.lifecycle.ready
                assert (await third.hub.results(old.id, ME)).complete


async def test_a_request_cancelled_before_it_is_handed_out_is_not_asked() -> None:
    one: dict[str, ScriptedBackend] = {}
    async with running(configuration(["a"]), one) as first:
        one["a"].step = waits
        old = await first.hub.submit(question())
        await first.runtime.clock.sleep(0.5)
        await first.kill()
        second = process(first.settings, {}, engine=first.engine)
        stuck = asyncio.Event()
        second.log.hold_reads(stuck)
        async with second.lifecycle:
            await second.runtime.clock.sleep(1)
            await second.hub.cancel(old.id, ME)
            await second.runtime.clock.sleep(0.1)
            stuck.set()
            await second.runtime.clock.sleep(1)
            assert not second.backends["a"].attempts


async def test_a_message_holds_no_more_answers_than_a_rank_has_places_for() -> None:
    names = [f"c{number}" for number in range(1500)]
    async with running(configuration(names)) as it:
        for body in it.backends.values():
            body.step = data(FOUND)
        receipt = await it.hub.submit(question())
        await it.runtime.clock.sleep(1)
        ends = [await it.engine.log.end(it.topics[1], partition) for partition in range(2)]
        assert sum(ends) >= 3
        assert (await it.hub.results(receipt.id, ME)).complete


async def test_answers_that_the_log_does_not_take_count_as_held() -> None:
    settings = configuration(hub={"lines_bytes": 20_000, "max_open_per_subject": 100})
    it = process(settings, {})
    async with it.lifecycle:
        for name in "abc":
            it.backends[name].step = data(b'"' + b"x" * 10_000 + b'"')
        await it.runtime.clock.sleep(2)
        it.log.refuse = True
        receipts = [await it.hub.submit(question()) for _ in range(20)]
        await it.runtime.clock.sleep(5)
        assert len(it.backends["a"].attempts) < 10
        it.log.refuse = False
        await it.runtime.clock.sleep(20)
        assert all([(await it.hub.results(receipt.id, ME)).complete for receipt in receipts])


async def test_a_body_that_takes_its_time_fills_the_lines_with_its_own_questions_alone() -> None:
    """What has been answered is let go of at once, not when the slowest has answered too."""
    hub = {"lines_bytes": 768 * 3 * 8, "max_open_per_subject": 100}
    async with running(configuration(hub=hub)) as it:
        it.backends["a"].step = waits
        for _ in range(18):
            await it.hub.submit(question())
        await it.runtime.clock.sleep(1)
        assert len(it.backends["b"].attempts) == 18


async def test_while_the_log_takes_no_answers_no_more_of_them_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esclusa.bootstrap.hub.UNSENT_BYTES", 40_000)
    settings = configuration(
        ["a"], connectors={"a": {"concurrency": 2}}, query={"ttl": Duration(60)}, hub={"max_open_per_subject": 100}
    )
    it = process(settings, {})
    async with it.lifecycle:
        it.backends["a"].step = data(b'"' + b"x" * 10_000 + b'"')
        await it.runtime.clock.sleep(2)
        it.log.refuse = True
        receipts = [await it.hub.submit(question()) for _ in range(30)]
        await it.runtime.clock.sleep(20)
        assert 4 <= len(it.backends["a"].attempts) <= 6
        it.log.refuse = False
        await it.runtime.clock.sleep(20)
        assert all([(await it.hub.results(receipt.id, ME)).complete for receipt in receipts])


async def test_one_that_is_removed_while_the_log_takes_no_answers_waits_as_well_and_then_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("esclusa.bootstrap.hub.UNSENT_BYTES", 30_000)
    settings = configuration(["a"], connectors={"a": {"concurrency": 1}}, hub={"max_open_per_subject": 100})
    async with running(settings) as it:
        it.backends["a"].step = data(b'"' + b"x" * 10_000 + b'"', after=0.1)
        await it.runtime.clock.sleep(2)
        it.log.refuse = True
        receipts = [await it.hub.submit(question()) for _ in range(10)]
        await it.runtime.clock.sleep(2)
        it.wired.roster.remove("a")
        await it.runtime.clock.sleep(10)
        assert len(it.backends["a"].attempts) <= 4
        it.log.refuse = False
        await it.runtime.clock.sleep(10)
        assert all([(await it.hub.results(receipt.id, ME)).complete for receipt in receipts])


async def test_connectors_that_consume_by_themselves_are_held_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esclusa.bootstrap.hub.UNSENT_BYTES", 30_000)
    settings = configuration(
        ["a", "b"], connectors={"a": {"concurrency": 1}, "b": {"concurrency": 1}}, hub={"max_open_per_subject": 100}
    )
    settings = msgspec.structs.replace(settings, pools={"default": PoolSettings(partitions=1, consumers="connector")})
    async with running(settings) as it:
        for backend in it.backends.values():
            backend.step = data(b'"' + b"x" * 10_000 + b'"', after=0.1)
        await it.runtime.clock.sleep(2)
        it.log.refuse = True
        for _ in range(10):
            await it.hub.submit(question())
        await it.runtime.clock.sleep(2)
        append = it.log.append

        def only_a(topic: Topic, key: bytes, value: bytes) -> asyncio.Future[int]:
            if topic == it.topics[1]:
                it.log.refuse = decode(Answers, value).heads[0].connector != "a"
            return append(topic, key, value)

        monkeypatch.setattr(it.log, "append", only_a)
        await it.runtime.clock.sleep(10)
        assert len(it.backends["b"].attempts) <= 4, "the log takes none of its answers"


async def test_a_partition_moves_while_the_lines_are_full() -> None:
    settings = configuration(["a"], connectors={"a": {"concurrency": 1}}, hub={"lines_bytes": 1, "max_open_per_subject": 100})
    async with running(settings) as first:
        first.backends["a"].step = waits
        for _ in range(4):
            await first.hub.submit(question())
        await first.runtime.clock.sleep(1)
        assert first.connectors["a"].running == 1
        async with running(settings, {}, engine=first.engine, roles=("connectors",)) as second:
            await second.runtime.clock.sleep(0.1)
            await second.runtime.signals.wait("pool.assigned")
            retiring = await first.runtime.signals.wait("pool.retired")
            assert retiring["partition"] == 1
            # In the drain, not once the group has lost patience.
            assert second.runtime.clock.now() - EPOCH < 1 + first.settings.hub.drain + 1


async def test_a_pool_that_starts_when_others_have_filled_the_lines_waits_as_they_do() -> None:
    it = process(configuration(["a"]), {})
    pool = next(part for row in it.parts for part in (row if isinstance(row, list) else [row]) if isinstance(part, Pool))
    pool._room.take(1 << 40)
    async with it.lifecycle:
        receipt = await it.hub.submit(question())
        await it.runtime.clock.sleep(1)
        assert not it.backends["a"].attempts
        pool._room.give_back(1 << 40)
        await it.runtime.clock.sleep(1)
        assert (await it.hub.results(receipt.id, ME)).complete


async def test_full_lines_take_no_more_than_a_batch_beyond() -> None:
    settings = configuration(
        ["a"], connectors={"a": {"concurrency": 1}}, hub={"lines_bytes": 1, "max_open_per_subject": 10_000}
    )
    async with running(settings) as it:
        it.backends["a"].step = waits
        await it.hub.submit(question())
        await it.runtime.clock.sleep(1)
        await asyncio.gather(*(it.hub.submit(question()) for _ in range(600)))
        await it.runtime.clock.sleep(1)
        assert it.connectors["a"].waiting <= 256
        it.backends["a"].step = data(FOUND, after=0)
        it.backends["a"].attempts[0].answer()
        await it.runtime.clock.sleep(5)
        assert len(it.backends["a"].attempts) == 601


async def test_the_answers_are_read_once_for_all_requests_of_the_first_second() -> None:
    async with running(configuration(["a"], hub={"max_open_per_subject": 1000})) as it:
        for number in range(100):
            await it.hub.submit(question(idempotency_key=f"k{number}" if number % 2 else None))
            await it.runtime.clock.sleep(0.005)
        await it.runtime.clock.sleep(1)
        marks = 2
        assert sum([await it.engine.log.end(it.topics[1], partition) for partition in range(2)]) == 100 + marks
        assert it.log.read_through <= 2 * marks


async def test_an_older_envelope_has_what_is_older_read_and_nothing_twice() -> None:
    async with running(configuration(["a"], hub={"max_open_per_subject": 1000}), roles=("hub", "collector")) as it:
        one = process(it.settings, {}, engine=it.engine, roles=["connectors"])
        await one.lifecycle.start()
        await it.runtime.clock.sleep(2)
        for _ in range(20):
            await it.hub.submit(question())
            await it.runtime.clock.sleep(0.3)
        recovery = Recovery(it.log, it.topics[1], 0, 0)
        end = await it.root.log.end(it.topics[1], 0)
        made = [message.made async for batch in it.root.log.read(it.topics[1], 0, 0, end) for message in batch]
        assert len(made) > 4
        for since, until in ((made[3], end - 1), (made[1], end - 1), (made[2], end - 1), (0, end), (made[0], end)):
            await recovery.cover(since, until)
        assert it.log.read_through == end
        assert len(recovery._found) == end
        await one.lifecycle.close()


async def test_what_recovery_has_read_is_forgotten_after_a_while() -> None:
    async with running(configuration(["a"])) as it:
        await it.hub.submit(question(idempotency_key="k1"))
        await it.runtime.clock.sleep(1)
        recoveries = [partition.backlog._recovery for partition in the_pool(it)._owned.values()]
        assert any(recovery._since is not None for recovery in recoveries)
        await it.runtime.clock.sleep(6)
        assert all(recovery._since is None for recovery in recoveries)


class _Told:
    """A subscription that tells at once what it has been told to tell."""

    def __init__(self, *events: Event) -> None:
        self._events = [*events]

    async def receive(self) -> Event:
        if not self._events:
            raise Closed("told all")
        return self._events.pop(0)


async def test_a_share_that_was_lost_and_given_again_at_once_is_another_one() -> None:
    async with running(configuration(["a"])) as it:
        pool = the_pool(it)
        await it.runtime.clock.sleep(0.1)
        await pool._consume(cast("Subscription", _Told(Revoked(0, lost=True), Assigned(0, 0, 0))))
        await it.runtime.clock.sleep(0.1)
        assert not pool._owned[0].gone


class _Letting:
    """A subscription that notes what is committed and released."""

    def __init__(self) -> None:
        self.released: list[int] = []

    def commit(self, *_: int) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future

    async def release(self, partition: int) -> None:
        self.released.append(partition)


async def test_a_share_that_was_lost_while_it_was_given_back_is_not_released_in_the_name_of_the_next_one() -> None:
    async with running(configuration(["a"])) as it:
        pool, clock, letting = the_pool(it), it.runtime.clock, _Letting()
        group = cast("Subscription", letting)
        it.backends["a"].step = waits
        receipt = await it.hub.submit(question())
        await clock.sleep(0.5)
        number = partition_of(receipt.id.bytes, 2)
        await pool._revoked(group, Revoked(number))
        await clock.sleep(2)
        await pool._revoked(group, Revoked(number, lost=True))
        pool._assigned(Assigned(number, 0, 1))
        end = await it.root.log.end(it.topics[0], number)
        async for messages in it.root.log.read(it.topics[0], number, 0, end):
            await pool._delivered(Delivered(number, messages))
        await clock.sleep(1)
        first, second = it.backends["a"].attempts
        assert first.aborted
        await pool._revoked(group, Revoked(number))
        await clock.sleep(4)
        assert letting.released == []
        second.answer()
        await clock.sleep(0.5)
        assert letting.released == [number]
        assert (await it.hub.results(receipt.id, ME)).complete


async def test_a_start_that_fails_half_way_leaves_nobody_listening() -> None:
    async with running(configuration(["a"]), roles=("hub",)) as hub:
        it = process(hub.settings, {}, engine=hub.engine)
        it.log.unsubscribable = "requests."
        with pytest.raises(StorageUnavailable):
            await it.lifecycle.start()
        listeners = [each for each in it.log.subscribed if isinstance(each, Listener)]
        assert listeners
        assert all(each.closed for each in listeners)


async def test_pools_are_drained_together() -> None:
    settings = configuration(["a", "b"], connectors={"b": {"pool": "south"}}, pools=["default", "south"])
    it = process(settings, {})
    await it.lifecycle.start()
    for body in it.backends.values():
        body.step = waits
    await it.hub.submit(question())
    await it.runtime.clock.sleep(1)
    before = it.runtime.clock.now()
    await it.lifecycle.close()
    assert it.runtime.clock.now() - before < settings.hub.drain + 1


async def test_calls_may_last_as_long_as_the_drain_when_a_partition_moves() -> None:
    settings = configuration(["a"], hub={"drain": Duration(30)}, connectors={"a": {"timeout": Duration(40)}})
    one: dict[str, ScriptedBackend] = {}
    two: dict[str, ScriptedBackend] = {}
    async with running(settings, one) as first:
        one["a"].step = data(FOUND, after=20)
        receipts = [await first.hub.submit(question()) for _ in range(5)]
        await first.runtime.clock.sleep(1)
        async with running(settings, two, engine=first.engine, roles=("connectors",)) as second:
            await second.runtime.clock.sleep(25)
            assert all([(await first.hub.results(receipt.id, ME)).complete for receipt in receipts])
            await second.runtime.signals.wait("pool.assigned")
    assert calls(one, two) == {"a": 5}


async def test_a_request_of_two_pools_is_bounded_as_a_whole() -> None:
    settings = configuration(
        ["a", "b", "c", "d"],
        connectors={"d": {"pool": "south"}},
        pools=["default", "south"],
        hub={"max_request": 200, "max_answer": 60},
    )
    async with running(settings) as it:
        for body in it.backends.values():
            body.step = data(b'"' + b"x" * 58 + b'"')
        receipt = await it.hub.submit(question())
        await it.runtime.clock.sleep(1)
        snapshot = await it.hub.results(receipt.id, ME)
        given = {answer.connector: answer.reason for answer in snapshot.answers}
        # Three quarters of it for three of the connectors; a quarter for the fourth, or as much as one answer takes.
        assert [given[name] for name in "abc"].count(None) == 2
        assert given["d"] is None
        assert sum(len(answer.data or b"") for answer in snapshot.answers) <= 200


async def test_what_was_answered_before_a_crash_counts_in_the_bound_of_a_request() -> None:
    one: dict[str, ScriptedBackend] = {}
    two: dict[str, ScriptedBackend] = {}
    settings = configuration(hub={"max_request": 300, "max_answer": 152})
    large = data(b'"' + b"x" * 150 + b'"')
    async with running(settings, one) as first:
        one["a"].step = large
        one["b"].step = one["c"].step = waits
        receipt = await first.hub.submit(question())
        await first.runtime.clock.sleep(0.5)
        await first.kill()
        second = process(settings, two, engine=first.engine)
        for name in "bc":
            two[name].step = large
        async with second.lifecycle:
            await second.runtime.clock.sleep(2)
            snapshot = await second.hub.results(receipt.id, ME)
            assert [answer.reason for answer in snapshot.answers] == [None, Reason.BACKEND_ERROR, Reason.BACKEND_ERROR]


async def test_a_commit_that_fails_is_tried_again() -> None:
    it = process(configuration(), {})
    async with it.lifecycle:
        it.log.uncommitted = 1
        await it.hub.submit(question())
        await it.runtime.clock.sleep(3)
        assert await it.committed() == 1
        assert it.log.uncommitted == 0


# ---- each connector a consumer of its own


def one_group_each(names: str = "abc", **options: Any) -> Configuration:
    settings = configuration(list(names), **options)
    return msgspec.structs.replace(settings, pools={"default": PoolSettings(partitions=2, consumers="connector")})


async def groups(it: Process) -> dict[str, int]:
    """How far each group of the requests is behind."""
    lags = await it.root.upkeep.lag([it.topics[0]])
    return {lag.group: sum(each.end - each.committed for each in lags if each.group == lag.group) for lag in lags}


async def test_each_connector_can_have_a_position_of_its_own() -> None:
    async with running(one_group_each()) as it:
        it.backends["b"].step = waits
        receipts = [await it.hub.submit(question()) for _ in range(3)]
        await it.runtime.clock.sleep(1)
        assert calls(it.backends) == {"a": 3, "b": 3, "c": 3}
        assert await groups(it) == {"connector.a": 0, "connector.b": 3, "connector.c": 0}
        snapshot = await it.hub.results(receipts[0].id, ME)
        assert ([answer.connector for answer in snapshot.answers], snapshot.pending) == (["a", "c"], ["b"])


async def test_what_is_addressed_to_others_is_settled_unread_by_each() -> None:
    async with running(one_group_each("ab")) as it:
        receipt = await it.hub.submit(question(connectors=["a"]))
        await it.runtime.clock.sleep(1)
        assert (await it.hub.results(receipt.id, ME)).complete
        assert calls(it.backends) == {"a": 1, "b": 0}
        assert await groups(it) == {"connector.a": 0, "connector.b": 0}


async def test_after_a_crash_each_connector_goes_on_where_it_was() -> None:
    one: dict[str, ScriptedBackend] = {}
    two: dict[str, ScriptedBackend] = {}
    async with running(one_group_each(), one) as first:
        one["b"].step = waits
        receipt = await first.hub.submit(question())
        await first.runtime.clock.sleep(0.5)
        second = process(first.settings, two, engine=first.engine)
        await first.kill()
        async with second.lifecycle:
            assert (await second.hub.wait(receipt.id, ME, seconds=20)).complete
    assert calls(one, two) == {"a": 1, "b": 2, "c": 1}


async def test_a_cancel_reaches_every_consumer() -> None:
    async with running(one_group_each("ab")) as it:
        for backend in it.backends.values():
            backend.step = waits
        receipt = await it.hub.submit(question())
        await it.runtime.clock.sleep(0.1)
        await it.hub.cancel(receipt.id, ME)
        await it.runtime.clock.sleep(0.1)
        assert [connector.running for connector in it.connectors.values()] == [0, 0]


async def test_who_consumed_as_a_pool_and_then_by_connector_asks_nobody_again() -> None:
    one: dict[str, ScriptedBackend] = {}
    two: dict[str, ScriptedBackend] = {}
    async with running(configuration(), one) as first:
        receipt = await first.hub.submit(question())
        await first.runtime.clock.sleep(1)
        await first.kill()
        async with running(one_group_each(), two, engine=first.engine) as second:
            await second.runtime.clock.sleep(1)
            assert (await second.hub.results(receipt.id, ME)).complete
            assert await groups(second) == {"pool.default": 0, "connector.a": 0, "connector.b": 0, "connector.c": 0}
    assert calls(one, two) == {"a": 1, "b": 1, "c": 1}


# ---- keys that can't be read


async def test_while_keys_cannot_be_read_a_partition_can_still_be_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(configuration(["a"]), roles=("hub", "collector", "purge")) as hub:
        one = process(hub.settings, {}, engine=hub.engine, roles=["connectors"])
        two = process(hub.settings, {}, engine=hub.engine, roles=["connectors"])
        async with one.lifecycle:
            await one.runtime.clock.sleep(1)

            def away(*_: object) -> asyncio.Future[None]:
                future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                future.set_exception(StorageUnavailable("away"))
                return future

            monkeypatch.setattr(one.engine.keys, "get", away)
            receipts = [await hub.hub.submit(question()) for _ in range(4)]
            await one.runtime.clock.sleep(1)
            async with two.lifecycle:
                await two.runtime.clock.sleep(8)
                assert len(the_pool(two)._owned) == 1
                monkeypatch.undo()
                await two.runtime.clock.sleep(5)
                assert all([(await hub.hub.results(receipt.id, ME)).complete for receipt in receipts])
        assert calls(one.backends, two.backends) == {"a": 4}

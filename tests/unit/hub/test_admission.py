"""How many requests are open: refused beyond the limits, and closed once each (P4)."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from esclusa.engines.memory import MemoryEngine
from esclusa.hub.admission import Admission
from esclusa.hub.settings import HubSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable, TooManyOpen, Unavailable
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Level
from esclusa.ports.records import Records, Row
from esclusa.testing.backends import waits
from esclusa.testing.virtual import EPOCH, settle
from support.hub import configuration, question, running
from support.sink import Sink

pytestmark = pytest.mark.virtual_time

SUBJECT = "12345678Z"


class Away:
    """Records that can't be read."""

    def __init__(self) -> None:
        self.reads = 0

    def read(self, *_: object) -> asyncio.Future[list[Row]]:
        self.reads += 1
        future: asyncio.Future[list[Row]] = asyncio.get_running_loop().create_future()
        future.set_exception(StorageUnavailable("away"))
        return future


class Scene:
    """The admission of one process; unless it is told to, its storage doesn't answer."""

    def __init__(self, records: Any = None, **limits: Any) -> None:
        self.clock = Clock(epoch=EPOCH)
        self.said = Sink()
        self.instrument = self.said.instrument(Level.INFO)
        self.away = Away()
        records = cast("Records", records or self.away)
        self.admission = Admission(records, HubSettings(**limits), self.clock, Ids(self.clock, seed=1), self.instrument)

    async def admit(self, number: int, subject: str = SUBJECT, *, seconds: float = 60, connectors: int = 3) -> bool:
        now = self.clock.millis()
        deadline = now + int(seconds * 1000)
        return await self.admission.admit(
            number.to_bytes(16, "big"), subject, created=now, deadline=deadline, connectors=connectors
        )

    @property
    def open(self) -> float:
        ((_, count),) = self.instrument.gauges["esclusa_hub_open_requests"].read()
        return count

    def counted(self, complete: str) -> float:
        """How many were observed as (not) complete."""
        return sum(self.instrument.histograms["esclusa_hub_request_seconds"].values.get((complete,), [0, 0])[:-1])


async def test_a_request_is_counted_once_however_often_it_is_submitted() -> None:
    scene = Scene(max_open_per_subject=1)
    assert await scene.admit(1)
    assert not await scene.admit(1)
    assert scene.open == 1


async def test_beyond_its_limit_a_subject_is_refused_and_others_are_not() -> None:
    scene = Scene(max_open_per_subject=2)
    for number in range(2):
        await scene.admit(number)
    with pytest.raises(TooManyOpen) as refused:
        await scene.admit(2)
    assert refused.value.retry_after == 2
    assert await scene.admit(3, "X1234567L")


async def test_beyond_what_the_process_holds_everybody_is_refused() -> None:
    scene = Scene(max_open=2)
    for number in range(2):
        await scene.admit(number, f"subject {number}")
    with pytest.raises(Unavailable) as refused:
        await scene.admit(2, "subject 2")
    assert refused.value.retry_after == 1
    scene.admission.closed((0).to_bytes(16, "big"), complete=True)
    assert await scene.admit(2, "subject 2")


async def test_before_a_subject_is_refused_its_requests_are_looked_at_and_nobody_elses() -> None:
    scene = Scene(max_open_per_subject=2)
    for number in range(2):
        await scene.admit(number)
    await scene.admit(2, "X1234567L")
    assert scene.away.reads == 0
    with pytest.raises(TooManyOpen):
        await scene.admit(3)
    assert scene.away.reads == 2


async def test_one_that_was_cancelled_makes_room_though_its_wake_up_was_lost() -> None:
    engine = MemoryEngine(Clock(epoch=EPOCH))
    scene = Scene(engine.records, max_open_per_subject=1)
    await scene.admit(1)
    scene.admission.stored((1).to_bytes(16, "big"))
    assert await scene.admit(2), "nothing is stored of the first any more: it has gone"
    assert scene.open == 1


async def test_one_whose_row_is_on_its_way_is_not_taken_for_a_cancelled_one() -> None:
    engine = MemoryEngine(Clock(epoch=EPOCH))
    scene = Scene(engine.records, max_open_per_subject=1)
    await scene.admit(1)
    with pytest.raises(TooManyOpen):
        await scene.admit(2)


async def test_one_that_is_submitted_twice_at_once_is_counted_once() -> None:
    """While the subject is full, both look at its requests, and the first makes room for itself meanwhile."""
    engine = MemoryEngine(Clock(epoch=EPOCH))
    scene = Scene(engine.records, max_open_per_subject=1)
    await scene.admit(1)
    scene.admission.stored((1).to_bytes(16, "big"))
    assert sorted(await asyncio.gather(scene.admit(2), scene.admit(2))) == [False, True]
    scene.admission.closed((2).to_bytes(16, "big"), complete=True)
    assert await scene.admit(3)


async def test_at_its_deadline_it_is_closed_though_storage_is_away_and_that_is_said_once() -> None:
    scene = Scene()
    await scene.admit(1, seconds=30)
    await scene.admit(2, seconds=60)
    await scene.clock.sleep(29.9)
    assert scene.open == 2
    await scene.clock.sleep(0.2)
    assert scene.open == 1
    await scene.clock.sleep(60)
    assert scene.open == 0
    finals = [(facts["request"][-1], facts["everyone"], facts["elapsedMs"]) for _, _, facts in scene.said]
    assert scene.said.events == ["request final"] * 2
    assert finals == [("1", False, 30_000), ("2", False, 60_000)]
    assert (scene.counted("true"), scene.counted("false")) == (0, 2)


async def test_wake_ups_are_an_estimate_and_the_rows_say_whether_it_is_true() -> None:
    scene = Scene()
    await scene.admit(1, connectors=3)
    scene.admission.rows_written((1).to_bytes(16, "big"), 2)
    await settle()
    assert scene.away.reads == 0, "somebody has not answered"
    scene.admission.rows_written((1).to_bytes(16, "big"), 1)
    await settle()
    assert scene.away.reads == 1
    assert scene.open == 1, "who can't tell waits for the deadline"
    scene.admission.rows_written((9).to_bytes(16, "big"), 1)
    await settle()
    assert scene.away.reads == 1, "of another process's request nothing is read"


async def test_who_it_is_about_is_not_kept_in_clear() -> None:
    scene = Scene()
    await scene.admit(1)
    assert SUBJECT.encode() not in b"".join(request.subject for request in scene.admission._open.values())
    assert SUBJECT.encode() not in b"".join(scene.admission._subjects)


async def test_stopped_it_forgets_and_says_nothing_more() -> None:
    scene = Scene()
    await scene.admission.start()
    await scene.admit(1, seconds=10)
    await scene.admission.drain()
    await scene.admission.stop()
    await scene.clock.sleep(20)
    assert (scene.open, scene.said) == (0, [])


async def test_a_subject_has_so_many_open_requests_and_final_ones_do_not_count() -> None:
    async with running() as process:
        for body in process.backends.values():
            body.step = waits
        for _ in range(5):
            await process.hub.submit(question())
        with pytest.raises(TooManyOpen):
            await process.hub.submit(question())
        await process.hub.submit(question(subject="X1234567L"))
        await settle()
        for body in process.backends.values():
            for attempt in list(body.open):
                attempt.answer()
        await process.runtime.clock.sleep(0.5)
        await process.hub.submit(question())


async def test_an_open_request_counts_until_its_deadline_at_most() -> None:
    async with running(configuration(hub={"max_open_per_subject": 1})) as process:
        for body in process.backends.values():
            body.step = waits
        receipt = await process.hub.submit(question())
        await process.runtime.clock.sleep_until(receipt.deadline / 1000)
        await process.hub.submit(question())


async def test_one_with_an_earlier_deadline_than_those_before_it_is_closed_at_its_own() -> None:
    scene = Scene(max_open_per_subject=2)
    await scene.admit(1, seconds=60)
    await scene.admit(2, seconds=30)
    await scene.clock.sleep(30.2)
    assert scene.open == 1
    assert [facts["elapsedMs"] for _, _, facts in scene.said] == [30_000]
    assert await scene.admit(3)

"""Whether a process lives, is ready, and what it has lost (H41)."""

from __future__ import annotations

import asyncio

import pytest

from esclusa.edges.http.health import EVERY, PATIENCE, Health, Phase
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable, Unavailable
from esclusa.kernel.instrument import Instrument, Level
from esclusa.testing.virtual import settle

pytestmark = pytest.mark.virtual_time


class Dependency:
    """Works until told otherwise."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self.hangs = False
        self.looked = 0

    async def check(self) -> None:
        self.looked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.reason is not None:
            raise StorageUnavailable(self.reason)


async def test_a_process_is_ready_from_its_start_until_it_drains() -> None:
    health = Health({}, Clock(), Instrument())
    phases = [health.phase]
    for step in (health.start, health.drain):
        await step()
        phases.append(health.phase)
    assert phases == [Phase.STARTING, Phase.READY, Phase.DRAINING]
    await health.stop()


async def test_before_it_has_started_nothing_is_served_that_needs_storage() -> None:
    health = Health({}, Clock(), Instrument())
    with pytest.raises(Unavailable, match="starting"):
        health.check_started()
    await health.start()
    health.check_started()
    await health.drain()
    health.check_started()
    await health.stop()


async def test_a_lost_dependency_is_known_by_name_and_since_when() -> None:
    clock, store = Clock(), Dependency()
    health = Health({"sqlite": store.check}, clock, Instrument())
    await health.start()
    await settle()
    assert not health.losses
    store.reason = "The disk is full"
    await clock.sleep(EVERY)
    lost = clock.millis()
    await clock.sleep(EVERY * 3)
    (loss,) = health.losses
    assert (loss.part, loss.reason) == ("sqlite", "The disk is full")
    assert loss.since == pytest.approx(lost, abs=2)
    assert health.phase is Phase.READY
    store.reason = None
    await clock.sleep(EVERY)
    assert not health.losses
    await health.stop()


async def test_one_that_does_not_answer_is_lost_too() -> None:
    clock, store, other = Clock(), Dependency(), Dependency()
    store.hangs, other.reason = True, "Gone"
    health = Health({"log": store.check, "records": other.check}, clock, Instrument())
    await health.start()
    await clock.sleep(PATIENCE + 0.1)
    assert [loss.part for loss in health.losses] == ["log", "records"]
    assert "3 s" in health.losses[0].reason
    await health.stop()


async def test_it_is_said_once_when_it_is_lost_and_once_when_it_is_back() -> None:
    said: list[tuple[Level, str, object]] = []
    store, clock = Dependency(), Clock()
    instrument = Instrument(lambda level, event, facts: said.append((level, event, facts["part"])), Level.INFO)
    health = Health({"sqlite": store.check}, clock, instrument)
    store.reason = "The disk is full"
    await health.look()
    await health.look()
    store.reason = None
    await health.look()
    await health.look()
    assert said == [(Level.ERROR, "dependency lost", "sqlite"), (Level.INFO, "dependency back", "sqlite")]


async def test_what_works_is_counted_as_1() -> None:
    store, other = Dependency(), Dependency()
    instrument = Instrument()
    health = Health({"a": store.check, "b": other.check}, Clock(), instrument)
    assert list(instrument.gauges["esclusa_dependency_up"].read()) == [], "nobody has looked"
    store.reason = "Gone"
    await health.start()
    await settle()
    assert list(instrument.gauges["esclusa_dependency_up"].read()) == [(("a",), 0.0), (("b",), 1.0)]
    await health.stop()


async def test_who_is_ready_is_counted_as_1() -> None:
    instrument = Instrument()
    health = Health({}, Clock(), instrument)
    seen = []
    for step in (settle, health.start, health.drain):
        await step()
        seen += [value for _, value in instrument.gauges["esclusa_ready"].read()]
    assert seen == [0.0, 1.0, 0.0]
    await health.stop()


async def test_a_stopped_one_looks_no_more() -> None:
    store, clock = Dependency(), Clock()
    health = Health({"sqlite": store.check}, clock, Instrument())
    await health.start()
    await settle()
    await health.stop()
    looked = store.looked
    await clock.sleep(EVERY * 3)
    assert store.looked == looked


async def test_a_check_that_fails_as_it_should_not_is_the_parts_death() -> None:
    """A check promises `StorageError`; anything else is a fault, and never silent."""

    async def broken() -> None:
        raise ZeroDivisionError

    died: list[BaseException] = []
    health = Health({"x": broken}, Clock(), Instrument())
    health.background.when_dead(died.append)
    await health.start()
    await settle()
    assert isinstance(died[0].__cause__, ZeroDivisionError)

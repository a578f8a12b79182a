"""Whoever waits hears of new rows: at once when they are the last, else at a pace; and looks by itself when nobody tells."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest

from esclusa.hub.stored import Cancelled, Woken, encode
from esclusa.hub.topics import WAKEUPS
from esclusa.hub.wakeups import LOOK, LOOKS, PACE, Waiter
from esclusa.kernel.clock import Clock
from esclusa.testing.virtual import EPOCH, settle
from support.hub import running

pytestmark = pytest.mark.virtual_time


async def waited(waiter: Waiter, clock: Clock, *, missing: int, until: float = 60) -> float:
    """How long it waited."""
    before = clock.now()
    await waiter.wait(EPOCH + until, missing)
    return round(clock.now() - before, 6)


async def test_the_last_rows_wake_at_once() -> None:
    clock = Clock(epoch=EPOCH)
    waiter = Waiter(clock)
    await waited(waiter, clock, missing=5, until=0)
    waiting = asyncio.ensure_future(waited(waiter, clock, missing=2))
    await settle()
    waiter.wake(2)
    assert await waiting == 0


async def test_rows_that_trickle_in_are_looked_at_at_a_pace() -> None:
    clock = Clock(epoch=EPOCH)
    waiter = Waiter(clock)
    await waited(waiter, clock, missing=5, until=0)
    waiting = asyncio.ensure_future(waited(waiter, clock, missing=5))
    await settle()
    waiter.wake(1)
    assert await waiting == pytest.approx(PACE)


async def test_who_asks_again_after_each_answer_keeps_to_the_pace_too() -> None:
    """A long poll is a new waiter each time; its look is the one that it makes as it begins."""
    clock = Clock(epoch=EPOCH)
    waiter = Waiter(clock)
    waiting = asyncio.ensure_future(waited(waiter, clock, missing=5))
    await settle()
    waiter.wake(1)
    assert await waiting == pytest.approx(PACE)


async def test_what_happens_between_two_waits_is_not_missed() -> None:
    clock = Clock(epoch=EPOCH)
    waiter = Waiter(clock)
    waiter.wake(3)
    assert await waited(waiter, clock, missing=3) == 0


async def test_with_no_wake_up_it_looks_by_itself_and_never_after_its_time() -> None:
    clock = Clock(epoch=EPOCH)
    waiter = Waiter(clock)
    assert await waited(waiter, clock, missing=1) == LOOK
    assert await waited(waiter, clock, missing=1, until=LOOK + 0.5) == 0.5
    assert await waited(waiter, clock, missing=1, until=0) == 0


async def test_where_very_many_wait_each_looks_less_often() -> None:
    async with running() as it:
        wakeups, clock, others = it.wired.wakeups, it.runtime.clock, ExitStack()
        for number in range(5 * LOOKS):
            others.enter_context(wakeups.waiter(number.to_bytes(16)))
        with wakeups.waiter(b"the one that is looked at") as waiter:
            assert await waited(waiter, clock, missing=1) == pytest.approx(5, rel=0.01)
        others.close()
        with wakeups.waiter(b"the one that is looked at") as waiter:
            assert await waited(waiter, clock, missing=1) == LOOK


async def test_a_wake_up_that_cannot_be_read_is_counted_and_the_next_one_is_heard() -> None:
    async with running() as it:
        id = bytes(16)
        with it.wired.wakeups.waiter(id) as waiter:
            for said in (b"\xc1", encode(Cancelled(id, 1)), encode(Woken({id: 1}))):
                await it.root.log.append(WAKEUPS, b"", said)
            assert await waited(waiter, it.runtime.clock, missing=1) < LOOK
        assert it.runtime.instrument.counters["esclusa_hub_unreadable_total"].values == {("wakeups",): 2}

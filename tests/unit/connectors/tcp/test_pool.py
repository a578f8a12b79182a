"""A connection that nobody uses serves the next call, or is closed in time, be there a next call or not."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from esclusa.connectors.tcp.connection import Connection
from esclusa.connectors.tcp.pool import IDLE, Pool
from unit.connectors.transport.hand_clock import HandClock


def connection() -> Mock:
    return Mock(Connection, free=True)


async def test_the_last_used_serves_first() -> None:
    pool = Pool(HandClock(), keep=True)
    first, second = connection(), connection()
    pool.give(first)
    pool.give(second)
    assert [pool.take(), pool.take(), pool.take()] == [second, first, None]


async def test_what_nobody_uses_is_closed_in_time_though_no_call_comes() -> None:
    clock = HandClock()
    pool = Pool(clock, keep=True)
    early, late = connection(), connection()
    pool.give(early)
    clock.move(IDLE / 2)
    pool.give(late)
    clock.move(IDLE / 2)
    assert (early.close.called, late.close.called) == (True, False)
    clock.move(IDLE / 2)
    assert late.close.called
    assert clock.timers == 0
    pool.give(connection())
    assert clock.timers == 1, "and so on"


async def test_what_has_ended_meanwhile_serves_nobody() -> None:
    pool = Pool(HandClock(), keep=True)
    ended = connection()
    pool.give(ended)
    ended.free = False
    assert pool.take() is None
    assert ended.close.called


async def test_what_should_have_been_closed_while_the_process_stood_still_serves_nobody() -> None:
    clock = HandClock()
    pool = Pool(clock, keep=True)
    old = connection()
    pool.give(old)
    old.until = clock.now()
    assert pool.take() is None
    assert old.close.called


@pytest.mark.parametrize(("keep", "free"), [(False, True), (True, False)])
async def test_what_can_or_may_serve_no_other_call_is_closed_at_once(keep: bool, free: bool) -> None:
    clock = HandClock()
    pool = Pool(clock, keep=keep)
    used = Mock(Connection, free=free)
    pool.give(used)
    assert used.close.called
    assert (pool.take(), clock.timers) == (None, 0)


async def test_closed_it_keeps_none() -> None:
    clock = HandClock()
    pool = Pool(clock, keep=True)
    kept, used = connection(), connection()
    pool.give(kept)
    pool.close()
    pool.give(used)
    assert kept.close.called
    assert used.close.called
    assert clock.timers == 0

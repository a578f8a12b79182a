"""A start that ends when the process has its share of the work."""

from __future__ import annotations

import asyncio

import pytest

from esclusa.bootstrap.joining import Joining
from esclusa.kernel.clock import Clock
from esclusa.testing.virtual import settle

pytestmark = pytest.mark.virtual_time


class Member:
    """One that is given a partition when a test says so."""

    def __init__(self) -> None:
        self.given = asyncio.Event()


async def test_it_waits_for_every_member_and_says_so() -> None:
    one, two, told = Member(), Member(), list[str]()
    starting = asyncio.ensure_future(Joining([one, two], 15, told.append, Clock()).start())
    await settle()
    two.given.set()
    await settle()
    assert not starting.done()
    assert "partitions" in told[0]
    one.given.set()
    await settle()
    assert starting.done()


async def test_a_member_for_which_there_is_no_partition_is_not_waited_for() -> None:
    clock, member = Clock(), Member()
    before = clock.now()
    await Joining([member], 15, lambda _: None, clock).start()
    assert clock.now() - before == pytest.approx(15)


async def test_without_members_there_is_nothing_to_wait_for() -> None:
    clock = Clock()
    before = clock.now()
    await Joining([], 15, lambda _: None, clock).start()
    assert clock.now() == before

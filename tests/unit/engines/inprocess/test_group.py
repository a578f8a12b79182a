"""A group: who has which partition, and how it moves."""

from __future__ import annotations

import pytest

from esclusa.engines.inprocess.group import Claim, Group
from esclusa.engines.inprocess.partition import Partition
from esclusa.kernel.clock import Clock
from esclusa.kernel.message import Message
from esclusa.ports.log import RELEASE
from esclusa.testing import virtual

pytestmark = pytest.mark.virtual_time


class Puppet:
    """A member that does what the test says: what it has been told, by the number of the partition."""

    def __init__(self, clock: Clock, *, sees: bool = True, limit: float = RELEASE) -> None:
        self.clock = clock
        self.limit = limit
        self.sees = sees
        self.claims: dict[int, Claim] = {}
        self.told_of: list[tuple[int, str]] = []

    def wake(self) -> None:
        """Nothing: it does not read."""

    def given(self, claim: Claim) -> None:
        claim.seen = self.sees
        self.claims[claim.partition.number] = claim
        self.told_of.append((claim.partition.number, "given"))

    def told(self, claim: Claim) -> None:
        self.told_of.append((claim.partition.number, "revoked" if claim.held else "lost"))

    def taken(self, claim: Claim) -> None:
        del self.claims[claim.partition.number]
        self.told_of.append((claim.partition.number, "taken"))

    def what(self, word: str) -> list[int]:
        """The partitions of which it was told `word`."""
        return [number for number, said in self.told_of if said == word]


def group(partitions: int = 4) -> Group:
    return Group("group", [Partition(number, number) for number in range(partitions)])


def clock() -> Clock:
    return Clock(epoch=virtual.EPOCH)


async def test_what_an_owner_has_not_seen_is_taken_back_without_a_word() -> None:
    shared, one, two = group(), Puppet(clock(), sees=False), Puppet(clock())
    shared.join(one)
    shared.join(two)
    assert one.what("revoked") == []
    assert sorted(one.claims) == [0, 1]
    assert sorted(two.claims) == [2, 3]


async def test_a_partition_is_given_only_when_its_owner_has_released_it() -> None:
    shared, one, two = group(), Puppet(clock()), Puppet(clock())
    shared.join(one)
    shared.join(two)
    assert one.what("revoked") == [2, 3]
    assert not two.claims
    shared.release(one.claims[2])
    assert list(two.claims) == [2]
    assert one.claims[3].held


async def test_a_revoked_partition_is_lost_at_the_limit_and_no_sooner() -> None:
    time = clock()
    shared, one, two = group(2), Puppet(time), Puppet(time)
    shared.join(one)
    shared.join(two)
    await time.sleep(RELEASE - 0.01)
    assert (one.what("lost"), list(two.claims)) == ([], [])
    await time.sleep(0.02)
    assert one.what("lost") == [1]
    assert list(two.claims) == [1]


async def test_a_release_in_time_stops_the_limit() -> None:
    time = clock()
    shared, one, two = group(2), Puppet(time), Puppet(time)
    shared.join(one)
    shared.join(two)
    shared.release(one.claims[1])
    await time.sleep(RELEASE * 2)
    assert one.what("lost") == []
    assert two.claims[1].held


async def test_a_release_of_what_is_lost_takes_nothing_from_the_next_owner() -> None:
    time = clock()
    shared, one, two = group(2), Puppet(time), Puppet(time)
    shared.join(one)
    shared.join(two)
    lost = one.claims[1]
    await time.sleep(RELEASE + 1)
    shared.release(lost)
    assert two.claims[1].held
    assert two.what("taken") == []


async def test_who_leaves_while_a_partition_is_on_its_way_gives_it_up_at_once() -> None:
    time = clock()
    shared, one, two = group(2), Puppet(time), Puppet(time)
    shared.join(one)
    shared.join(two)
    shared.leave(one)
    assert sorted(two.claims) == [0, 1]
    await time.sleep(RELEASE * 2)
    assert one.what("lost") == []
    shared.leave(one)
    assert sorted(two.claims) == [0, 1]


async def test_when_the_heir_leaves_first_the_owner_is_given_the_partition_anew_once_it_has_released() -> None:
    shared, one, two = group(2), Puppet(clock()), Puppet(clock())
    shared.join(one)
    shared.join(two)
    shared.leave(two)
    shared.release(one.claims[1])
    assert one.what("given") == [0, 1, 1]
    assert one.claims[1].held


async def test_positions_begin_at_the_start_and_never_go_back() -> None:
    shared = group(1)
    partition = shared.partitions[0]
    assert shared.committed(0) == 0
    partition.grow([Message(offset, 0, b"", b"") for offset in range(10)])
    shared.advance(0, 5)
    shared.advance(0, 3)
    assert shared.committed(0) == 5
    partition.drop(8)
    assert shared.committed(0) == 8

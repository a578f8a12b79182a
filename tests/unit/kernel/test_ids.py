"""Names for new things: sorted by time, impossible to guess, repeatable from a seed."""

from __future__ import annotations

import pytest

from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids
from esclusa.testing.virtual import EPOCH

pytestmark = pytest.mark.virtual_time


async def test_an_id_is_a_uuid_of_version_7_that_begins_with_its_time() -> None:
    ids = Ids(Clock(epoch=EPOCH))
    id = ids.uuid()
    assert (id.version, id.variant) == (7, "specified in RFC 4122")
    assert id.int >> 80 == int(EPOCH * 1000)


async def test_ids_of_the_same_moment_differ() -> None:
    ids = Ids(Clock(epoch=EPOCH))
    assert len({ids.uuid() for _ in range(1000)}) == 1000


async def test_later_ids_sort_later() -> None:
    clock = Clock(epoch=EPOCH)
    ids = Ids(clock)
    first = ids.uuid()
    await clock.sleep(0.001)
    assert first < ids.uuid()


async def test_a_seed_makes_them_repeatable() -> None:
    clock = Clock(epoch=EPOCH)
    assert Ids(clock, seed=1).uuid() == Ids(clock, seed=1).uuid()
    assert Ids(clock, seed=1).secret(8) == Ids(clock, seed=1).secret(8)
    assert Ids(clock).secret(32) != Ids(clock).secret(32)


async def test_fractions_are_of_one() -> None:
    ids = Ids(Clock(epoch=EPOCH), seed=3)
    assert all(0 <= ids.fraction() < 1 for _ in range(100))

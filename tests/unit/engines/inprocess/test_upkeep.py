"""What administration has in common."""

from __future__ import annotations

import pytest

from esclusa.engines.inprocess import upkeep
from esclusa.engines.memory import MemoryEngine
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable
from esclusa.ports.log import Topic
from esclusa.testing import virtual

pytestmark = pytest.mark.virtual_time


async def test_check_writes_something_new_every_time() -> None:
    clock = Clock(epoch=virtual.EPOCH)
    memory = MemoryEngine(clock)
    ranks = []
    for _ in range(3):
        await upkeep.check(memory.records, clock)
        ((found,),) = [await memory.records.read(upkeep.CHECKED)]
        ranks.append(found.rank)
        await clock.sleep(1)
    assert ranks == sorted(set(ranks), reverse=True)


async def test_check_says_when_what_it_wrote_is_not_there() -> None:
    clock = Clock(epoch=virtual.EPOCH)
    memory = MemoryEngine(clock)
    await memory.records.forget(upkeep.CHECKED, clock.millis() + 1000)
    with pytest.raises(StorageUnavailable, match="can't be read"):
        await upkeep.check(memory.records, clock)


async def test_topics_that_are_not_set_up_have_no_lag() -> None:
    memory = MemoryEngine(Clock(epoch=virtual.EPOCH))
    assert upkeep.lag(memory.world.topics, [Topic("absent"), Topic("wake", broadcast=True)]) == []

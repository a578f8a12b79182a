"""The log of an engine in one process: what the exams of the port do not ask."""

from __future__ import annotations

import pytest

from esclusa.engines.memory import MemoryEngine
from esclusa.kernel.clock import Clock
from esclusa.ports.log import Topic
from esclusa.testing import virtual

pytestmark = pytest.mark.virtual_time


async def test_a_group_of_a_broadcast_topic_and_a_listener_of_another_are_mistakes() -> None:
    memory = MemoryEngine(Clock(epoch=virtual.EPOCH))
    kept, wake = Topic("kept"), Topic("wake", broadcast=True)
    await memory.upkeep.setup([kept, wake])
    with pytest.raises(ValueError, match="'kept'"):
        await memory.log.subscribe(kept, None)
    with pytest.raises(ValueError, match="'wake'"):
        await memory.log.subscribe(wake, "group")


async def test_a_broadcast_topic_has_an_end() -> None:
    memory = MemoryEngine(Clock(epoch=virtual.EPOCH))
    wake = Topic("wake", partitions=2, broadcast=True)
    await memory.upkeep.setup([wake])
    offsets = [await memory.log.append(wake, b"key", b"") for _ in range(3)]
    assert offsets == [0, 1, 2]
    assert sorted([await memory.log.end(wake, 0), await memory.log.end(wake, 1)]) == [0, 3]

"""Administration of a memory: what the exam of the port does not ask."""

from __future__ import annotations

import asyncio

import pytest

from esclusa.engines.memory import MemoryEngine
from esclusa.engines.memory.upkeep import MOST
from esclusa.kernel.clock import Clock
from esclusa.ports.log import Topic
from esclusa.testing import virtual

pytestmark = pytest.mark.virtual_time


async def test_a_sweep_is_bounded() -> None:
    clock = Clock(epoch=virtual.EPOCH)
    memory = MemoryEngine(clock)
    topic = Topic("topic", keep=1.0)
    await memory.upkeep.setup([topic])
    await asyncio.gather(*[memory.log.append(topic, b"key", b"value") for _ in range(MOST + 5)])
    await clock.sleep(2)
    swept = await memory.upkeep.sweep(clock.millis())
    assert (swept.deleted, swept.left) == (MOST, 5)

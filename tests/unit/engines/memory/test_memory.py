"""The engine `memory`: several processes on one memory, each of which can be killed."""

from __future__ import annotations

import pytest

from esclusa.engines.memory import MemoryEngine, World
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed, StorageUnavailable
from esclusa.ports.log import Topic
from esclusa.ports.records import Row
from esclusa.testing import virtual

pytestmark = pytest.mark.virtual_time

TOPIC = Topic("topic")


def clock(skew: float = 0.0) -> Clock:
    return Clock(skew=skew, epoch=virtual.EPOCH)


async def test_processes_beside_each_other_share_what_is_stored_each_by_its_own_clock() -> None:
    one = MemoryEngine(clock())
    two = one.beside(clock(skew=5.0))
    now = clock().millis()
    await one.records.put(b"key", [Row("name", b"", b"", now + 3000)])
    assert len(await one.records.read(b"key")) == 1
    assert await two.records.read(b"key") == [], "expired, by the clock of the one who reads"
    await one.upkeep.setup([TOPIC])
    assert await two.log.append(TOPIC, b"key", b"value") == 0
    (message,) = [message async for batch in one.log.read(TOPIC, 0, 0, 1) for message in batch]
    assert message.made == now + 5000


async def test_a_killed_process_leaves_undone_what_waits_and_the_others_go_on() -> None:
    dying = MemoryEngine(clock())
    living = dying.beside(clock())
    await dying.upkeep.setup([TOPIC])
    lost = dying.log.append(TOPIC, b"key", b"lost")
    dying.kill()
    with pytest.raises(Closed):
        await lost
    for refused in (dying.log.append(TOPIC, b"", b""), dying.records.read(b"key"), dying.keys.get(bytes(16))):
        with pytest.raises(Closed):
            await refused
    assert await living.log.end(TOPIC, 0) == 0
    assert dying.ended
    assert not living.ended


async def test_draining_finishes_what_waits() -> None:
    memory = MemoryEngine(clock())
    await memory.start()
    await memory.upkeep.setup([TOPIC])
    at_hand = memory.log.append(TOPIC, b"key", b"value")
    await memory.drain()
    assert at_hand.done()
    await memory.stop()
    assert memory.ended


async def test_a_full_memory_refuses_writes_and_takes_them_again_when_something_has_expired() -> None:
    time = clock()
    memory = MemoryEngine(time, World(capacity=10_000))
    await memory.upkeep.setup([Topic("topic", keep=1.0)])
    for _ in range(4):
        await memory.log.append(TOPIC, b"key", bytes(2000))
    await memory.records.put(b"key", [Row("name", b"", bytes(1000), time.millis() + 1000)])
    for refused in (
        memory.log.append(TOPIC, b"key", bytes(2000)),
        memory.records.put(b"key", [Row("other", b"", bytes(2000), time.millis() + 1000)]),
        memory.records.add(b"key", Row("other", b"", bytes(2000), time.millis() + 1000)),
    ):
        with pytest.raises(StorageUnavailable, match="the memory is full"):
            await refused
    await memory.records.forget(b"key", 0)
    assert memory.world.bytes == 8000
    await time.sleep(2)
    await memory.upkeep.sweep(time.millis())
    assert memory.world.bytes == 0
    await memory.log.append(TOPIC, b"key", bytes(9000))

"""Members and listeners: what they hold, and what they let go."""

from __future__ import annotations

import asyncio

import pytest

from esclusa.engines.inprocess.subscription import LISTENER_BYTES, GroupMember, Listener
from esclusa.engines.memory import MemoryEngine
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed
from esclusa.ports.log import RELEASE, Assigned, Delivered, Revoked, Topic
from esclusa.testing import virtual
from esclusa.testing.exams.members import key_of

pytestmark = pytest.mark.virtual_time

TOPIC = Topic("topic", partitions=2)
WAKE = Topic("wake", broadcast=True)


async def engine() -> tuple[MemoryEngine, Clock]:
    clock = Clock(epoch=virtual.EPOCH)
    memory = MemoryEngine(clock)
    await memory.upkeep.setup([TOPIC, WAKE])
    return memory, clock


async def member(memory: MemoryEngine) -> GroupMember:
    subscription = await memory.log.subscribe(TOPIC, "group")
    assert isinstance(subscription, GroupMember)
    return subscription


async def listener(memory: MemoryEngine) -> Listener:
    subscription = await memory.log.subscribe(WAKE, None)
    assert isinstance(subscription, Listener)
    return subscription


async def test_a_member_that_does_not_receive_is_told_only_what_matters_in_the_end() -> None:
    memory, clock = await engine()
    sleeping = await member(memory)
    for _ in range(20):
        other = await member(memory)
        await clock.sleep(RELEASE * 2)
        await other.close()
    assert [await sleeping.receive() for _ in range(2)] == [Assigned(0, 0, 0), Assigned(1, 0, 0)]
    for _ in range(20):
        other = await member(memory)
        await clock.sleep(RELEASE * 2)
        await other.close()
    assert await sleeping.receive() == Revoked(1, lost=True)
    assert await sleeping.receive() == Assigned(1, 0, 0)
    assert len(sleeping._turns) == 2


async def test_the_end_that_is_told_is_that_of_the_moment_of_telling() -> None:
    memory, _ = await engine()
    waiting = await member(memory)
    await memory.log.append(TOPIC, b"key", b"value")
    told = [await waiting.receive(), await waiting.receive()]
    assert sorted(event.end for event in told if isinstance(event, Assigned)) == [0, 1]


async def test_partitions_take_turns() -> None:
    memory, _ = await engine()
    subscription = await member(memory)
    for number in range(1000):
        await memory.log.append(TOPIC, b"%d" % (number % 7), bytes(1000))
    await subscription.receive()
    await subscription.receive()
    events = [await subscription.receive() for _ in range(4)]
    assert [event.partition for event in events] in ([0, 1, 0, 1], [1, 0, 1, 0])


async def test_who_receives_without_end_gives_way_to_others() -> None:
    memory, clock = await engine()
    subscription = await member(memory)
    await asyncio.gather(*[memory.log.append(TOPIC, b"key", bytes(200_000)) for _ in range(100)])
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await clock.sleep(0)

    beside = asyncio.ensure_future(other())
    for _ in range(52):
        await subscription.receive()
    beside.cancel()
    assert turns >= 50


async def test_a_position_beyond_the_end_is_a_mistake() -> None:
    memory, _ = await engine()
    subscription = await member(memory)
    await subscription.receive()
    with pytest.raises(ValueError, match="beyond the end"):
        subscription.commit(0, 1)


async def test_a_commit_that_still_waits_when_its_partition_is_lost_is_void() -> None:
    memory, clock = await engine()
    slow = await member(memory)
    await memory.log.append(TOPIC, key_of(1, 2), b"value")
    assert [await slow.receive(), await slow.receive()] == [Assigned(0, 0, 0), Assigned(1, 0, 1)]
    heir = await member(memory)
    memory._writer.hold()
    commit = slow.commit(1, 1)
    await clock.sleep(RELEASE + 1)
    memory._writer.go_on()
    await commit
    assert await heir.receive() == Assigned(1, 0, 1)


async def test_a_partition_that_is_not_revoked_is_not_released() -> None:
    memory, _ = await engine()
    subscription = await member(memory)
    await subscription.receive()
    await subscription.release(0)
    await subscription.release(99)
    await memory.log.append(TOPIC, b"key", b"value")
    events = [await subscription.receive(), await subscription.receive()]
    assert isinstance(events[-1], Delivered)


async def test_a_listener_that_does_not_receive_holds_a_bounded_number_of_bytes_and_keeps_the_newest() -> None:
    memory, _ = await engine()
    idle = await listener(memory)
    for number in range(100):
        await memory.log.append(WAKE, b"key", b"%d" % number + bytes(LISTENER_BYTES // 10))
    event = await idle.receive()
    assert isinstance(event, Delivered)
    assert sum(len(message.value) for message in event.messages) <= LISTENER_BYTES
    assert event.messages[-1].offset == 99
    assert len(event.messages) == 9
    assert idle._bytes == 0


async def test_a_listener_that_has_left_is_forgotten() -> None:
    memory, _ = await engine()
    leaving = await listener(memory)
    await leaving.close()
    assert not memory.world.topics.channel(WAKE).hearers
    await memory.log.append(WAKE, b"key", b"value")
    with pytest.raises(Closed):
        await leaving.receive()


async def test_subscriptions_that_are_closed_are_not_remembered_by_the_log() -> None:
    memory, _ = await engine()
    for _ in range(10):
        await (await member(memory)).close()
        await (await listener(memory)).close()
    assert len(memory.log._subscriptions) <= 1

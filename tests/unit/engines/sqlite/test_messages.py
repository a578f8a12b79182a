"""The tables of the log: what is no longer in memory, where a partition ends, and what is found by its time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from esclusa.engines.inprocess import writer
from esclusa.engines.sqlite import SqliteEngine, messages
from esclusa.kernel.clock import Clock
from esclusa.kernel.message import Message
from esclusa.ports.log import RELEASE, Assigned, Delivered, Topic
from esclusa.testing import virtual
from esclusa.testing.exams.members import ONE, key_of

pytestmark = pytest.mark.virtual_time
TOPIC = Topic("topic", partitions=2, keep=100.0)
Maker = Callable[..., SqliteEngine]


async def read(engine: SqliteEngine, partition: int, since: int = 0) -> list[Message]:
    return [message async for batch in engine.log.read(TOPIC, partition, since, 1 << 30) for message in batch]


async def append(engine: SqliteEngine, count: int, key: bytes = b"key") -> None:
    await asyncio.gather(*[engine.log.append(TOPIC, key, b"%d" % number) for number in range(count)])


async def test_a_backlog_is_read_from_the_disk_and_memory_stays_small(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "TAIL", 1000)
    engine = make()
    await engine.start()
    await engine.upkeep.setup([TOPIC])
    await append(engine, 2000)
    topic = engine._storage._messages.topics.kept(TOPIC)
    assert all(sum(len(message.value) for message in partition.tail) <= 1000 for partition in topic.partitions)
    member = await engine.log.subscribe(TOPIC, "group")
    came: list[bytes] = []
    while len(came) < 2000:
        event = await member.receive()
        if isinstance(event, Delivered):
            came += [message.value for message in event.messages]
    assert came == [b"%d" % number for number in range(2000)]


async def test_a_partition_ends_where_it_ended_though_every_message_is_deleted_and_the_process_starts_anew(
    make: Maker,
) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    await engine.upkeep.setup([TOPIC])
    await append(engine, 10)
    (partition,) = [number for number in (0, 1) if await engine.log.end(TOPIC, number)]
    await clock.sleep(200)
    assert (await engine.upkeep.sweep(clock.millis())).deleted == 10
    await engine.stop()
    engine = make(clock)
    await engine.start()
    assert await engine.log.end(TOPIC, partition) == 10
    await engine.upkeep.setup([TOPIC])
    assert await engine.log.append(TOPIC, b"key", b"next") == 10


async def test_a_time_is_found_though_the_clock_went_back_between_two_runs(make: Maker) -> None:
    await asyncio.sleep(0)
    for skew in (0.0, -50.0, 20.0):
        clock = Clock(epoch=virtual.EPOCH, skew=skew)
        engine = make(clock)
        await engine.start()
        await engine.upkeep.setup([TOPIC])
        for _ in range(3):
            await append(engine, 1)
            await clock.sleep(1)
        await engine.stop()
    engine = make()
    await engine.start()
    (everything,) = [found for found in [await read(engine, 0), await read(engine, 1)] if found]
    partition = 0 if await engine.log.end(TOPIC, 0) else 1
    assert len(everything) == 9
    for since in {message.made + late for message in everything for late in (0, 1)}:
        due = [message for message in everything if message.made >= since]
        came = await read(engine, partition, since)
        assert came == everything[len(everything) - len(came) :]
        assert due == [message for message in came if message.made >= since]
        assert not due or came[0] == due[0], "and it begins with the first one due"


async def test_topics_of_an_earlier_run_are_swept_though_nobody_declares_them_any_more(make: Maker) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    await engine.upkeep.setup([TOPIC])
    await append(engine, 10)
    await engine.stop()
    engine = make(clock)
    await engine.start()
    await clock.sleep(99)
    assert (await engine.upkeep.sweep(clock.millis())).deleted == 0
    await clock.sleep(2)
    assert (await engine.upkeep.sweep(clock.millis())).deleted == 10


async def test_only_the_last_position_of_a_group_is_written(make: Maker) -> None:
    engine = make()
    await engine.start()
    await engine.upkeep.setup([TOPIC])
    await append(engine, 10)
    member = await engine.log.subscribe(TOPIC, "group")
    event = await member.receive()
    assert isinstance(event, Assigned)
    partition = 0 if await engine.log.end(TOPIC, 0) else 1
    statements: list[str] = []
    connection = engine._database._connection
    assert connection is not None
    connection.set_trace_callback(statements.append)
    await asyncio.gather(*[member.commit(partition, position) for position in (3, 9, 5)])
    connection.set_trace_callback(None)
    (written,) = [statement for statement in statements if "INTO positions" in statement]
    assert "'group',9)" in written
    assert engine._database.read("SELECT reader, position FROM positions") == [("group", 9)]


async def test_a_position_does_not_go_back_from_one_transaction_to_the_next(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "GROUP_ENTRIES", 1)
    engine = make()
    await engine.start()
    await engine.upkeep.setup([ONE])
    await asyncio.gather(*[engine.log.append(ONE, b"key", b"value") for _ in range(10)])
    member = await engine.log.subscribe(ONE, "group")
    await member.receive()
    await asyncio.gather(member.commit(0, 9), member.commit(0, 5))
    assert engine._database.read("SELECT position FROM positions") == [(9,)]


async def test_a_commit_that_still_waits_when_its_partition_is_lost_is_void(make: Maker) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    await engine.upkeep.setup([TOPIC])
    await engine.log.append(TOPIC, key_of(1, 2), b"value")
    slow = await engine.log.subscribe(TOPIC, "group")
    assert [await slow.receive(), await slow.receive()] == [Assigned(0, 0, 0), Assigned(1, 0, 1)]
    heir = await engine.log.subscribe(TOPIC, "group")
    engine._writer.hold()
    commit = slow.commit(1, 1)
    await clock.sleep(RELEASE + 1)
    engine._writer.go_on()
    await commit
    assert await heir.receive() == Assigned(1, 0, 1)
    assert engine._database.read("SELECT count(*) FROM positions") == [(0,)]


async def test_a_batch_from_the_disk_is_bounded_in_bytes(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "TAIL", 1000)
    engine = make()
    await engine.start()
    await engine.upkeep.setup([ONE])
    await asyncio.gather(*[engine.log.append(ONE, b"key", bytes(100_000)) for _ in range(10)])
    batches = [len(batch) async for batch in engine.log.read(ONE, 0, 0, 10)]
    assert batches == [3, 3, 3, 1]


async def test_a_gap_that_damage_has_left_ends_neither_a_reader_nor_a_sweep(make: Maker) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    topic = Topic(ONE.name, keep=100.0)
    await engine.upkeep.setup([topic])
    begun = clock.millis()
    for _ in range(10):
        await engine.log.append(topic, b"key", b"value")
        await clock.sleep(1)
    await engine.stop()
    engine = make(clock)
    await engine.start()
    with engine._database.transaction() as connection:
        connection.execute("DELETE FROM messages WHERE place % ? BETWEEN 3 AND 7", (messages.PLACES,))
    for late in range(11):
        since = begun + late * 1000
        batches = [batch async for batch in engine.log.read(topic, 0, since, 10)]
        assert [message.offset for batch in batches for message in batch] == [n for n in (0, 1, 2, 8, 9) if n >= late]
    await clock.sleep(100)
    await engine.upkeep.sweep(clock.millis())
    assert engine._database.read("SELECT count(*) FROM messages") == [(0,)]

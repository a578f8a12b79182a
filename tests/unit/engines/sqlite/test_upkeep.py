"""The sweep of a folder: in steps, between which others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from esclusa.engines.sqlite import SqliteEngine, upkeep
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageError
from esclusa.ports.log import Topic
from esclusa.ports.records import Row
from esclusa.ports.upkeep import Swept
from esclusa.testing import virtual

pytestmark = pytest.mark.virtual_time
TOPIC = Topic("topic", keep=1.0)
Maker = Callable[..., SqliteEngine]


async def test_a_sweep_deletes_so_much_and_says_what_is_left(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "STEP", 10)
    monkeypatch.setattr(upkeep, "MOST", 100)
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    await engine.upkeep.setup([TOPIC])
    await asyncio.gather(*[engine.log.append(TOPIC, b"key", b"value") for _ in range(80)])
    expires = clock.millis() + 1000
    await engine.records.put(b"key", [Row(f"{number}", b"", b"", expires) for number in range(150)])
    await clock.sleep(2)
    assert await engine.upkeep.sweep(clock.millis()) == Swept(100, 130)
    assert await engine.upkeep.sweep(clock.millis()) == Swept(100, 30)
    assert await engine.upkeep.sweep(clock.millis()) == Swept(30, 0)


async def test_others_go_on_while_a_sweep_is_at_work(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "STEP", 10)
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    expires = clock.millis() + 1000
    await engine.records.put(b"key", [Row(f"{number}", b"", b"", expires) for number in range(500)])
    await clock.sleep(2)
    sweeping = asyncio.ensure_future(engine.upkeep.sweep(clock.millis()))
    writes = 0
    while not sweeping.done():
        await engine.records.put(b"other", [Row("name", b"", b"", clock.millis() + 1000, rank=-writes)])
        writes += 1
    assert writes > 5


async def test_a_topic_that_would_lose_partitions_is_refused_and_nothing_is_made_of_the_others(make: Maker) -> None:
    engine = make()
    await engine.start()
    await engine.upkeep.setup([Topic("a", partitions=3)])
    with pytest.raises(StorageError, match="can't go back"):
        await engine.upkeep.setup([Topic("b"), Topic("a", partitions=2)])
    assert engine._database.read("SELECT DISTINCT topic FROM partitions") == [("a",)]


async def test_partitions_are_added_between_two_runs_only_once_the_messages_are_gone(make: Maker) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    await engine.upkeep.setup([TOPIC])
    await engine.log.append(TOPIC, b"key", b"value")
    await engine.stop()
    engine = make(clock)
    await engine.start()
    more = Topic("topic", partitions=8, keep=1.0)
    with pytest.raises(StorageError, match="'topic' has 1 partitions and holds messages"):
        await engine.upkeep.setup([Topic("b"), more])
    assert engine._database.read("SELECT topic, number FROM partitions") == [("topic", 0)]
    await clock.sleep(2)
    await engine.upkeep.sweep(clock.millis())
    await engine.upkeep.setup([more])
    assert await engine.log.end(more, 7) == 0


async def test_a_longer_keep_counts_from_the_next_set_up_on(make: Maker) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    await engine.upkeep.setup([TOPIC])
    await engine.log.append(TOPIC, b"key", b"value")
    await engine.upkeep.setup([Topic("topic", keep=100.0)])
    await clock.sleep(50)
    assert (await engine.upkeep.sweep(clock.millis())).deleted == 0
    await engine.stop()
    engine = make(clock)
    await engine.start()
    assert (await engine.upkeep.sweep(clock.millis())).deleted == 0
    await clock.sleep(51)
    assert (await engine.upkeep.sweep(clock.millis())).deleted == 1

"""Groups of writes: all or none, and true to what is on the disk whatever fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from esclusa.engines.sqlite import SqliteEngine
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.signal import Signals
from esclusa.ports.log import Assigned, Delivered, Topic
from esclusa.ports.records import Row
from esclusa.testing import virtual
from support.failing_connection import FailingConnection

pytestmark = pytest.mark.virtual_time
TOPIC = Topic("topic")
Maker = Callable[..., SqliteEngine]


def fill_disk(engine: SqliteEngine) -> None:
    """No page more than there are."""
    ((pages,),) = engine._database.read("PRAGMA page_count")
    engine._database.read(f"PRAGMA max_page_count = {pages}")


def free_disk(engine: SqliteEngine) -> None:
    engine._database.read("PRAGMA max_page_count = 1000000")


def row(clock: Clock, name: str, size: int = 10) -> Row:
    return Row(name, b"", bytes(size), clock.millis() + 60_000)


async def test_on_a_full_disk_a_group_fails_as_a_whole_in_words_and_later_ones_succeed(make: Maker) -> None:
    clock, instrument = Clock(epoch=virtual.EPOCH), Instrument()
    engine = make(clock, instrument)
    await engine.start()
    await engine.upkeep.setup([TOPIC])
    member = await engine.log.subscribe(TOPIC, "group")
    assert isinstance(await member.receive(), Assigned)
    await engine.records.put(b"before", [row(clock, "there")])
    fill_disk(engine)
    results = await asyncio.gather(
        engine.records.put(b"small", [row(clock, "a")]),
        engine.records.put(b"large", [row(clock, "a", 200_000)]),
        engine.log.append(TOPIC, b"key", b"value"),
        engine.records.forget(b"before", clock.millis() + 1000),
        engine.records.add(b"added", row(clock, "a")),
        return_exceptions=True,
    )
    for result in results:
        assert isinstance(result, StorageUnavailable)
        assert "the disk is full" in str(result)
    assert await engine.records.read(b"small") == []
    assert await engine.records.read(b"added") == []
    assert len(await engine.records.read(b"before")) == 1, "reads go on, and what was to be forgotten is still there"
    assert await engine.log.end(TOPIC, 0) == 0
    assert instrument.counters["esclusa_storage_errors_total"].values == {("full",): 1}
    free_disk(engine)
    await engine.records.put(b"before", [row(clock, "later")])
    assert len(await engine.records.read(b"before")) == 2, "the tombstone that failed is not remembered"
    await engine.records.put(b"large", [row(clock, "a", 200_000)])
    assert await engine.log.append(TOPIC, b"key", b"value") == 0
    delivered = await member.receive()
    assert isinstance(delivered, Delivered)
    assert len(delivered.messages) == 1


async def test_a_commit_that_was_done_though_it_failed_is_seen_by_everybody(make: Maker) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    await engine.upkeep.setup([TOPIC])
    member = await engine.log.subscribe(TOPIC, "group")
    assert isinstance(await member.receive(), Assigned)
    real = engine._database._connection
    assert real is not None
    engine._database._connection = FailingConnection(real, "COMMIT", late=True)  # type: ignore[assignment]  # a stand-in
    results = await asyncio.gather(
        engine.log.append(TOPIC, b"key", b"perhaps"),
        engine.records.forget(b"key", clock.millis() + 60_000),
        return_exceptions=True,
    )
    assert all(isinstance(result, StorageUnavailable) for result in results)
    delivered = await member.receive()
    assert isinstance(delivered, Delivered)
    assert delivered.messages[0].value == b"perhaps"
    engine._database._connection = real
    assert await engine.log.append(TOPIC, b"key", b"after") == 1
    await engine.records.put(b"key", [row(clock, "a")])
    assert await engine.records.read(b"key") == []


async def test_while_the_disk_is_gone_nothing_is_told_that_is_not_known(make: Maker) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    await engine.upkeep.setup([TOPIC])
    await engine.log.append(TOPIC, b"key", b"before")
    await engine.records.put(b"key", [row(clock, "a")])
    database = engine._database
    path, database._path = database._path, database._path.with_name("gone") / "hub.db"  # type: ignore[union-attr]  # it is open
    database._drop()
    for failing in (
        engine.log.append(TOPIC, b"key", b"value"),
        engine.records.put(b"key", [row(clock, "b")]),
        engine.records.read(b"other"),
        engine.upkeep.sweep(clock.millis()),
        engine.upkeep.setup([Topic("other")]),
        engine.upkeep.check(),
    ):
        with pytest.raises(StorageUnavailable):
            await failing
    database._path = path
    assert await engine.log.append(TOPIC, b"key", b"after") == 1
    assert [found.name for found in await engine.records.read(b"key")] == ["a"]


async def test_groups_are_measured_and_signalled(make: Maker) -> None:
    clock, instrument, signals = Clock(epoch=virtual.EPOCH), Instrument(), Signals()
    signals.listen()
    engine = make(clock, instrument, signals)
    await engine.start()
    writing = [engine.records.put(b"key", [row(clock, f"{number}")]) for number in range(10)]
    assert next(iter(instrument.gauges["esclusa_storage_waiting_bytes"].read()))[1] >= 100
    await asyncio.gather(*writing)
    assert await signals.wait("storage.committed") == {"entries": 10}
    assert instrument.histograms["esclusa_storage_flush_entries"].values[()][-1] == 10
    assert sum(instrument.histograms["esclusa_storage_flush_seconds"].values[()][:-1]) == 1
    assert list(instrument.gauges["esclusa_storage_waiting_bytes"].read()) == [((), 0)]
    fill_disk(engine)
    with pytest.raises(StorageUnavailable):
        await engine.records.put(b"key", [row(clock, "large", 200_000)])
    assert "full" in (await signals.wait("storage.failed"))["error"]

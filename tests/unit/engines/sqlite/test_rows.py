"""The tables of the records: what the exam of the port can't see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from esclusa.engines.sqlite import SqliteEngine, rows
from esclusa.kernel.clock import Clock
from esclusa.ports.records import Row
from esclusa.ports.upkeep import Swept
from esclusa.testing import virtual

pytestmark = pytest.mark.virtual_time
Maker = Callable[..., SqliteEngine]


def row(clock: Clock, name: str, size: int = 10, lives: int = 1000) -> Row:
    return Row(name, b"", bytes(size), clock.millis() + lives)


def count(engine: SqliteEngine, table: str) -> int:
    ((found,),) = engine._database.read(f"SELECT count(*) FROM {table}")  # noqa: S608 - a table's name
    assert isinstance(found, int)
    return found


async def test_rows_of_a_key_that_expire_together_have_one_expiry(make: Maker) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    for first in (0, 100):
        await engine.records.put(b"key", [row(clock, f"{first + number}") for number in range(100)])
    await engine.records.put(b"key", [row(clock, "later", lives=2000)])
    assert count(engine, "expiries") == 2


async def test_nothing_is_left_of_what_has_expired(make: Maker) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    await engine.records.put(b"key", [row(clock, "a"), row(clock, "b", lives=2000)])
    await engine.records.put(b"key", [Row("a", b"", b"", clock.millis() + 3000, rank=-1)])
    await engine.records.forget(b"forgotten", clock.millis() + 1000)
    await clock.sleep(5)
    assert await engine.upkeep.sweep(clock.millis()) == Swept(3, 0)
    assert [count(engine, table) for table in ("records", "expiries", "tombstones")] == [0, 0, 0]
    assert not engine._storage._rows._forgotten


async def test_a_large_put_is_split_into_statements(make: Maker) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    statements: list[str] = []
    connection = engine._database._connection
    assert connection is not None
    connection.set_trace_callback(lambda statement: statements.append(statement[:20]))
    await engine.records.put(b"key", [row(clock, f"{number}", 256 << 10) for number in range(12)])
    connection.set_trace_callback(None)
    assert statements.count("INSERT INTO records ") == 3
    assert statements.count("COMMIT") == 1


async def test_the_expiries_that_are_remembered_are_bounded(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "NOTED", 50)
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    for number in range(200):
        await engine.records.put(b"%d" % number, [row(clock, "a")])
    assert len(engine._storage._rows._noted) <= 51
    assert count(engine, "expiries") == 200


async def test_a_sweep_of_rows_is_bounded_in_rows_and_in_bytes(make: Maker) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    await asyncio.gather(
        *[engine.records.put(b"%d" % key, [row(clock, f"{number}") for number in range(50)]) for key in range(10)]
    )
    await clock.sleep(2)
    swept = engine._storage._rows
    assert swept.sweep(clock.millis(), 120, 1 << 20) == 120
    assert swept.expired(clock.millis(), 1000) == 380
    assert swept.sweep(clock.millis(), 1000, 1 << 20) == 380
    await engine.records.put(b"large", [row(clock, f"{number}", 100_000) for number in range(10)])
    await clock.sleep(2)
    assert swept.sweep(clock.millis(), 1000, 250_000) == 3
    assert swept.sweep(clock.millis(), 1000, 10_000_000) == 7

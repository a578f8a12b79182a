"""Checkpoints: the log stays short, the loop goes on, failures are told and made good."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from esclusa.engines.sqlite import SqliteEngine, checkpoint
from esclusa.kernel.clock import Clock
from esclusa.kernel.instrument import Instrument, Level
from esclusa.kernel.signal import Signals
from esclusa.ports.records import Row
from esclusa.testing import virtual
from support.sink import Sink

Maker = Callable[..., SqliteEngine]


def row(clock: Clock, name: str = "name", size: int = 1000) -> Row:
    return Row(name, b"", bytes(size), clock.millis() + 60_000)


def log_size(folder: Path) -> int:
    return (folder / "hub.db-wal").stat().st_size


def file_sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}


@pytest.mark.virtual_time
async def test_a_checkpoint_follows_a_write_and_none_comes_where_nothing_was_written(make: Maker) -> None:
    clock, instrument, signals = Clock(epoch=virtual.EPOCH), Instrument(), Signals()
    signals.listen()
    engine = make(clock, instrument, signals)
    await engine.start()
    await engine.records.put(b"key", [row(clock)])
    await signals.wait("storage.checkpointed", mode="PASSIVE")
    assert clock.now() - virtual.EPOCH == pytest.approx(checkpoint.EVERY, abs=0.01)
    await clock.sleep(100)
    assert sum(instrument.histograms["esclusa_storage_checkpoint_seconds"].values["PASSIVE",][:-1]) == 1


@pytest.mark.virtual_time
async def test_many_bytes_are_checkpointed_sooner(make: Maker) -> None:
    clock, signals = Clock(epoch=virtual.EPOCH), Signals()
    signals.listen()
    engine = make(clock, None, signals)
    await engine.start()
    await engine.records.put(b"key", [row(clock, size=checkpoint.BYTES)])
    await signals.wait("storage.checkpointed", mode="PASSIVE")
    assert clock.now() - virtual.EPOCH < checkpoint.EVERY


async def test_while_writes_never_pause_the_log_stays_short(make: Maker, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "BYTES", 100_000)
    monkeypatch.setattr(checkpoint, "LONG", 1 << 20)
    clock = Clock()
    engine = make(clock)
    await engine.start()
    longest = 0

    async def write() -> None:
        nonlocal longest
        for _ in range(400):
            await engine.records.put(os.urandom(16), [row(clock)])
            longest = max(longest, log_size(folder))

    await asyncio.gather(*[write() for _ in range(20)])
    written = 20 * 400 * 8192  # a page of its own for nearly every row, as keys are spread
    assert longest < written / 2


@pytest.mark.virtual_time
async def test_a_log_that_has_grown_huge_is_cut_when_nothing_waits(
    make: Maker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "HUGE", 1 << 20)
    clock, signals = Clock(epoch=virtual.EPOCH), Signals()
    signals.listen()
    engine = make(clock, None, signals)
    await engine.start()
    await engine.records.put(b"key", [row(clock, size=2 << 20)])
    assert log_size(folder) > 2 << 20
    await signals.wait("storage.checkpointed", mode="TRUNCATE")
    assert log_size(folder) == 0
    await engine.records.put(b"key", [row(clock, "after")])
    assert len(await engine.records.read(b"key")) == 2


@pytest.mark.virtual_time
async def test_a_checkpoint_that_fails_is_told_and_tried_again_and_writes_go_on(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = Sink()
    instrument, signals = lines.instrument(Level.WARN), Signals()
    signals.listen()
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock, instrument, signals)
    await engine.start()

    def fail(*_: object) -> tuple[int, int, int]:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(engine._checkpointer, "_checkpoint", fail)
        await engine.records.put(b"key", [row(clock)])
        await clock.sleep(1)
    assert lines.events == ["storage.checkpoint"]
    assert instrument.counters["esclusa_storage_errors_total"].values == {("other",): 1}
    await engine.records.put(b"key", [row(clock, "after")])
    await signals.wait("storage.checkpointed")


@pytest.mark.virtual_time
async def test_writes_wait_while_the_rest_is_taken_and_then_go_on(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "HUGE", 1)
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    held: list[bool] = []
    real = engine._checkpointer._checkpoint

    def watched(mode: checkpoint.Mode) -> tuple[int, int, int]:
        held.append(engine._writer._held)
        return real(mode)

    monkeypatch.setattr(engine._checkpointer, "_checkpoint", watched)
    await engine.records.put(b"key", [row(clock)])
    await clock.sleep(1)
    assert held == [False, True]
    await engine.records.put(b"key", [row(clock, "after")])


@pytest.mark.virtual_time
async def test_when_it_stops_everything_is_in_the_database_file(make: Maker, folder: Path) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    await engine.records.put(b"key", [row(clock, size=100_000)])
    await engine.stop()
    sizes = file_sizes(folder)
    assert set(sizes) == {"hub.db", "keys.bin", "lock"}
    assert sizes["hub.db"] > 100_000

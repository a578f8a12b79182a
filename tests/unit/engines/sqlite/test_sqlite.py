"""The engine as a part: it starts wholly or not, and leaves the folder in order."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from esclusa.engines.sqlite import SqliteEngine
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed, StorageBusy, StorageError, StorageTooNew, StorageUnavailable
from esclusa.kernel.lifecycle import Lifecycle
from esclusa.ports.log import Topic
from esclusa.ports.records import Row
from esclusa.testing import virtual

pytestmark = pytest.mark.virtual_time
TOPIC = Topic("topic")
Maker = Callable[..., SqliteEngine]

DIES = """
import asyncio, os, sys
from pathlib import Path
from esclusa.engines.sqlite import SqliteEngine
from esclusa.kernel.clock import Clock
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.signal import Signals
from esclusa.ports.log import Topic
from esclusa.ports.records import Row

async def main():
    clock = Clock(epoch=1_800_000_000.0)
    engine = SqliteEngine(Path(sys.argv[1]), clock, Instrument(), Signals())
    await engine.start()
    await engine.upkeep.setup([Topic("topic")])
    await engine.log.append(Topic("topic"), b"key", b"value")
    await engine.records.put(b"key", [Row("name", b"", b"", clock.millis() + 60_000)])
    await engine.keys.make(bytes(16), b"S" * 32, clock.millis() + 60_000)
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""


def write_and_die(folder: Path) -> None:
    """A process that writes to every port and kills itself as soon as that is acknowledged."""
    killed = subprocess.run([sys.executable, "-c", DIES, str(folder)], check=False, capture_output=True)  # noqa: S603 - ourselves
    assert killed.returncode == -9, killed.stderr


def written_by_a_newer_one(folder: Path) -> Path:
    """A database of a format that is yet to come."""
    folder.mkdir()
    database = sqlite3.connect(folder / "hub.db")
    database.execute("PRAGMA user_version = 99")
    database.close()
    return folder / "hub.db"


def modes_in(folder: Path) -> dict[str, int]:
    """The permissions of a folder and its files."""
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} | {".": folder.stat().st_mode & 0o777}


async def test_it_is_a_part_of_a_lifecycle(make: Maker) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    async with Lifecycle([engine]):
        await engine.upkeep.setup([TOPIC])
        at_hand = engine.log.append(TOPIC, b"key", b"value")
        await engine.drain()
        assert at_hand.done()
    for refused in (engine.log.append(TOPIC, b"", b""), engine.records.read(b"key"), engine.keys.get(bytes(16))):
        with pytest.raises(Closed):
            await refused


async def test_before_it_is_started_every_port_says_so(make: Maker) -> None:
    engine = make()
    for refused in (engine.log.append(TOPIC, b"", b""), engine.records.read(b"key"), engine.records.put(b"key", [])):
        with pytest.raises(StorageError):
            await refused


async def test_a_second_one_on_the_folder_is_refused_and_leaves_the_first_as_it_is(make: Maker) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    first = make(clock)
    await first.start()
    with pytest.raises(StorageBusy, match="in use by process"):
        await make(clock).start()
    await first.upkeep.check()


async def test_a_start_that_fails_is_undone(make: Maker, folder: Path) -> None:
    database = written_by_a_newer_one(folder)
    with pytest.raises(StorageTooNew, match="format 99"):
        await make().start()
    database.unlink()
    await make().start()


async def test_a_folder_that_is_a_file_is_unavailable_in_words(make: Maker, folder: Path) -> None:
    os.close(os.open(folder, os.O_CREAT))
    with pytest.raises(StorageUnavailable):
        await make().start()


async def test_what_was_acknowledged_is_there_after_kill_9(make: Maker, folder: Path) -> None:
    write_and_die(folder)
    engine = make()
    await engine.start()
    assert await engine.log.end(TOPIC, 0) == 1
    assert [found.name for found in await engine.records.read(b"key")] == ["name"]
    assert await engine.keys.get(bytes(16)) == b"S" * 32


async def test_its_files_are_private(make: Maker, folder: Path) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    await engine.records.put(b"key", [Row("name", b"", b"", clock.millis() + 1000)])
    modes = modes_in(folder)
    assert modes.pop(".") == 0o700
    assert set(modes) == {"lock", "hub.db", "hub.db-wal", "hub.db-shm", "keys.bin"}
    assert set(modes.values()) == {0o600}

"""Keys on the disk: destroyed, they are in no file."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from esclusa.engines.sqlite import SqliteEngine
from esclusa.engines.sqlite.keys import Key, packed, unpacked
from esclusa.engines.sqlite.slots import EMPTY, SLOT
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable
from esclusa.testing import virtual

pytestmark = pytest.mark.virtual_time
Maker = Callable[..., SqliteEngine]


def prepare(folder: Path, content: bytes) -> None:
    """A folder that an earlier run has left."""
    folder.mkdir()
    (folder / "keys.bin").write_bytes(content)


def broken(*_: object) -> None:
    """A disk that fails."""
    raise OSError(errno.EIO, "Input/output error")


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


async def test_a_destroyed_secret_is_in_no_file_of_the_folder(make: Maker, folder: Path) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    dead, living = [os.urandom(32) for _ in range(20)], os.urandom(32)
    for number, secret in enumerate(dead):
        await engine.keys.make(number.to_bytes(16, "big"), secret, clock.millis() + 1000)
    await engine.keys.make(b"living".ljust(16), living, clock.millis() + 60_000)
    assert all(secret in contents(folder) for secret in dead), "so that the test can fail"
    await clock.sleep(2)
    assert await engine.keys.destroy(clock.millis()) == 20
    left = contents(folder)
    assert not any(secret in left or secret[:8] in left for secret in dead)
    assert living in left
    await engine.stop()
    assert not any(secret[:8] in contents(folder) for secret in dead)


async def test_an_acknowledged_secret_is_on_the_disk(make: Maker, folder: Path) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    secret = os.urandom(32)
    await engine.keys.make(bytes(16), secret, clock.millis() + 1000)
    assert secret in (folder / "keys.bin").read_bytes()


async def test_slots_are_used_again(make: Maker, folder: Path) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    for turn in range(10):
        await engine.keys.make(turn.to_bytes(16, "big"), os.urandom(32), clock.millis() + 1000)
        await clock.sleep(2)
        await engine.keys.destroy(clock.millis())
    assert (folder / "keys.bin").stat().st_size == SLOT


async def test_a_slot_whose_writing_was_cut_off_is_cleared_at_the_next_start(make: Maker, folder: Path) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    whole = Key(b"whole".ljust(16), b"W" * 32, clock.millis() + 1000, 0)
    torn = packed(Key(b"torn".ljust(16), b"T" * 32, clock.millis() + 1000, 1))[:40].ljust(SLOT, b"\0")
    prepare(folder, packed(whole) + torn + EMPTY)
    engine = make(clock)
    await engine.start()
    assert await engine.keys.get(whole.id) == b"W" * 32
    assert await engine.keys.get(b"torn".ljust(16)) is None
    await engine.stop()
    assert (folder / "keys.bin").read_bytes() == packed(whole) + EMPTY + EMPTY


async def test_a_secret_that_could_not_be_made_durable_is_not_given_and_can_be_made_again(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    dies = clock.millis() + 1000
    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", broken)
        with pytest.raises(StorageUnavailable):
            await engine.keys.make(bytes(16), b"S" * 32, dies)
    assert await engine.keys.get(bytes(16)) is None
    await engine.keys.make(bytes(16), b"S" * 32, dies)
    assert await engine.keys.get(bytes(16)) == b"S" * 32


async def test_what_could_not_be_destroyed_is_told_and_destroyed_the_next_time(
    make: Maker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    secret = os.urandom(32)
    await engine.keys.make(bytes(16), secret, clock.millis() + 1000)
    await clock.sleep(2)
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", broken)
        with pytest.raises(StorageUnavailable):
            await engine.keys.destroy(clock.millis())
    assert secret in contents(folder)
    assert await engine.keys.destroy(clock.millis()) == 1
    assert secret not in contents(folder)


async def test_destroying_that_was_cancelled_goes_on(make: Maker, folder: Path) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    await engine.keys.make(bytes(16), b"S" * 32, clock.millis() + 1000)
    await clock.sleep(2)
    destroying = asyncio.ensure_future(engine.keys.destroy(clock.millis()))
    await clock.sleep(0)
    destroying.cancel()
    await engine.keys.close()
    assert b"S" * 32 not in contents(folder)


async def test_an_outage_eats_no_slots_and_leaves_no_secret(make: Maker, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    dies = clock.millis() + 1000
    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", broken)  # so that every secret is written all the same
        for number in range(20):
            with pytest.raises(StorageUnavailable):
                await engine.keys.make(number.to_bytes(16, "big"), bytes([65 + number]) * 32, dies)
        assert b"T" * 32 in contents(folder)
        with pytest.raises(StorageUnavailable):
            await engine.keys.destroy(clock.millis())
    assert (folder / "keys.bin").stat().st_size == SLOT
    assert await engine.keys.destroy(clock.millis()) == 0
    assert (folder / "keys.bin").read_bytes() == EMPTY
    await engine.keys.make(bytes(16), b"A" * 32, dies)
    assert await engine.keys.get(bytes(16)) == b"A" * 32
    assert (folder / "keys.bin").stat().st_size == SLOT


async def test_a_secret_made_twice_at_once_outlives_the_failure_of_one_write(
    make: Maker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    dies = clock.millis() + 1000
    real, failures = os.fdatasync, [broken]

    def fdatasync(file: int) -> None:
        (failures.pop() if failures else real)(file)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    first = engine.keys.make(bytes(16), b"S" * 32, dies)
    await asyncio.sleep(0)
    second = engine.keys.make(bytes(16), b"S" * 32, dies)
    with pytest.raises(StorageUnavailable):
        await first
    await second
    assert await engine.keys.get(bytes(16)) == b"S" * 32
    await engine.keys.make(b"other".ljust(16), b"O" * 32, dies)
    assert (folder / "keys.bin").stat().st_size == 2 * SLOT


async def test_a_secret_that_stands_there_twice_is_kept_once(make: Maker, folder: Path) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    twice = packed(Key(b"twice".ljust(16), b"W" * 32, clock.millis() + 1000, 0))
    prepare(folder, twice + twice)
    engine = make(clock)
    await engine.start()
    await clock.sleep(2)
    assert await engine.keys.destroy(clock.millis()) == 1
    assert (folder / "keys.bin").read_bytes() == EMPTY + EMPTY


async def test_mistakes_are_said(make: Maker) -> None:
    clock = Clock(epoch=virtual.EPOCH)
    engine = make(clock)
    await engine.start()
    with pytest.raises(ValueError, match="16 bytes"):
        engine.keys.make(b"short", b"S" * 32, clock.millis() + 1000)
    await engine.keys.make(bytes(16), b"S" * 32, clock.millis() + 1000)
    with pytest.raises(ValueError, match="never changes"):
        engine.keys.make(bytes(16), b"T" * 32, clock.millis() + 1000)


def test_a_slot_comes_back_as_it_was_packed_and_any_damage_is_seen() -> None:
    key = Key(b"i" * 16, b"s" * 32, 1_800_000_000_000, 7, durable=True)
    raw = packed(key)
    assert len(raw) == SLOT
    assert unpacked(7, raw) == key
    for place in range(SLOT):
        assert unpacked(7, raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]) is None
    assert unpacked(7, EMPTY) is None

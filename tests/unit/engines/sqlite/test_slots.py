"""A file of slots: written in place, on the disk when it says so."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from esclusa.engines.sqlite.slots import EMPTY, SLOT, Slots
from esclusa.kernel.errors import Closed, StorageUnavailable
from esclusa.kernel.instrument import Instrument


@asynccontextmanager
async def opened(path: Path, instrument: Instrument | None = None) -> AsyncIterator[Slots]:
    with ThreadPoolExecutor(1) as executor:
        slots = Slots(executor, instrument or Instrument())
        os.close(os.open(path, os.O_CREAT))
        slots.open(path)
        yield slots
        await slots.close()


def broken(*_: object) -> None:
    """A disk that fails."""
    raise OSError(errno.EIO, "Input/output error")


def content(number: int) -> bytes:
    return bytes([number]) * SLOT


async def test_what_is_asked_for_together_is_synced_once_and_before_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys"
    told: list[int] = []
    synced: list[tuple[bytes, list[int]]] = []
    real = os.fdatasync

    def fdatasync(file: int) -> None:
        synced.append((path.read_bytes(), list(told)))
        real(file)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    async with opened(path) as slots:
        await asyncio.gather(*[slots.write(number, content(number), partial(told.append, number)) for number in (2, 0)])
        assert path.read_bytes() == content(0) + EMPTY + content(2)
    assert synced == [(content(0) + EMPTY + content(2), [])]
    assert told == [2, 0]


async def test_what_comes_while_a_job_runs_is_the_next_job(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    async with opened(path) as slots:
        first = slots.write(0, content(1), lambda: None)
        await asyncio.sleep(0)
        assert slots._job is not None
        second = slots.write(0, content(2), lambda: None)
        await asyncio.gather(first, second)
        assert path.read_bytes() == content(2)


async def test_a_cancelled_write_is_done_and_told_all_the_same(tmp_path: Path) -> None:
    told: list[int] = []
    async with opened(tmp_path / "keys") as slots:
        slots.write(0, content(1), lambda: told.append(1)).cancel()
        await slots.settled()
        assert told == [1]
        assert (tmp_path / "keys").read_bytes() == content(1)


async def test_what_fails_is_unavailable_in_words_and_not_told_and_the_next_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    instrument = Instrument()
    async with opened(tmp_path / "keys", instrument) as slots:
        with monkeypatch.context() as patched:
            patched.setattr(os, "fdatasync", broken)
            with pytest.raises(StorageUnavailable, match="Input/output error"):
                await slots.write(0, content(1), lambda: told.append(1))
        assert not told
        assert instrument.counters["esclusa_storage_errors_total"].values == {("io",): 1}
        await slots.write(0, content(2), lambda: told.append(2))
        assert told == [2]


async def test_a_file_that_ends_inside_a_slot_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(content(1) + b"half")
    with ThreadPoolExecutor(1) as executor:
        slots = Slots(executor, Instrument())
        assert slots.open(tmp_path / "keys") == [content(1), b"half".ljust(SLOT, b"\0")]
        await slots.close()


async def test_closed_it_refuses(tmp_path: Path) -> None:
    async with opened(tmp_path / "keys") as slots:
        at_hand = slots.write(0, content(1), lambda: None)
        await slots.close()
        assert at_hand.done()
        with pytest.raises(Closed):
            await slots.write(0, content(1), lambda: None)


async def test_a_file_that_is_absent_is_unavailable(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as executor, pytest.raises(StorageUnavailable, match="can't be opened"):
        Slots(executor, Instrument()).open(tmp_path / "absent")

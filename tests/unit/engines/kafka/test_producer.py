"""Appending while no broker is there: everything is answered in time, and what waits is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from esclusa.engines.kafka import producer
from esclusa.engines.kafka.client import MESSAGE_BYTES, Voice, common
from esclusa.engines.kafka.producer import ENTRY, ROOM, Appender
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.kernel.errors import Closed, StorageUnavailable
from esclusa.kernel.instrument import Instrument

NOBODY = KafkaSettings(servers=["127.0.0.1:1"])


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producer, "DELIVERY", 0.3)
    monkeypatch.setattr(producer, "FAREWELL", 0.2)


@contextmanager
def appending() -> Iterator[Appender]:
    """An appender that reaches nobody."""
    instrument = Instrument()
    made = Appender(common(NOBODY), "none", Voice(NOBODY, instrument), instrument)
    try:
        yield made
    finally:
        made.kill()


def append(appender: Appender, size: int = 1000) -> asyncio.Future[int]:
    return appender.append("topic", 0, b"key", bytes(size), 1)


async def refused(future: asyncio.Future[int]) -> None:
    async with asyncio.timeout(4):
        with pytest.raises(StorageUnavailable):
            await future


async def test_what_nobody_takes_is_given_up_and_its_room_is_there_for_others() -> None:
    with appending() as appender:
        appender.connect()
        futures = [append(appender) for _ in range(100)]
        assert appender.bytes == 100 * (len(b"key") + 1000 + ENTRY)
        for future in futures:
            await refused(future)
        assert appender.bytes == 0
        await appender.settled()


async def test_beyond_its_room_it_takes_nothing() -> None:
    with appending() as appender:
        taken = []
        while not (future := append(appender, 1 << 20)).done():
            taken.append(future)
        await refused(future)
        assert len(taken) == ROOM // ((1 << 20) + len(b"key") + ENTRY)
        assert appender.bytes <= ROOM
        for each in taken:
            each.cancel()


async def test_a_message_that_is_too_large_is_refused_at_once() -> None:
    with appending() as appender:
        future = append(appender, MESSAGE_BYTES + 1)
        assert future.done()
        await refused(future)
        assert appender.bytes == 0


async def test_closing_waits_for_what_is_at_hand_no_longer_than_it_may() -> None:
    with appending() as appender:
        future = append(appender)
        async with asyncio.timeout(3):
            await appender.close()
        assert future.done()
        assert isinstance(future.exception(), Closed)
        with pytest.raises(Closed):
            await append(appender)


async def test_what_is_cancelled_keeps_its_room_until_it_is_answered() -> None:
    with appending() as appender:
        future = append(appender)
        future.cancel()
        assert appender.bytes
        async with asyncio.timeout(4):
            await appender.settled()
        assert appender.bytes == 0

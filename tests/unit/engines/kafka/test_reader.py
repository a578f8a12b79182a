"""Reading a stretch of a partition, from brokers that say what real ones do only at times that nobody can choose."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError

from esclusa.engines.kafka import reader
from esclusa.engines.kafka.admin import Admin
from esclusa.engines.kafka.client import Voice
from esclusa.engines.kafka.log import KafkaLog
from esclusa.engines.kafka.reader import stretch
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.instrument import Instrument
from esclusa.ports.log import Topic

TOPIC = Topic("t")
SETTINGS = KafkaSettings()


def message(offset: int) -> Any:
    """One that was made at `offset` milliseconds since the epoch."""
    return SimpleNamespace(
        error=lambda: None, offset=lambda: offset, timestamp=lambda: (1, offset), key=lambda: b"", value=lambda: b"%d" % offset
    )


def over(offset: int) -> Any:
    """The broker has nothing from there on."""
    return SimpleNamespace(error=lambda: KafkaError(KafkaError._PARTITION_EOF), offset=lambda: offset)


class Broker:
    """Stands in for a consumer, and for who asks where things stand: what a broker says that knows of so much."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, said: list[Any], found: int = 0) -> None:
        self._said = said
        self._found = found
        monkeypatch.setattr(reader, "Consumer", lambda *_, **__: self)

    def assign(self, _: object) -> None:
        """It says the same, whatever it is asked for."""

    close = assign

    def poll(self, _: float) -> Any:
        return self._said.pop(0) if self._said else None

    def consume(self, count: int, _: float) -> list[Any]:
        now, self._said = self._said[:count], self._said[count:]
        return now

    async def offsets_since(self, *_: object) -> dict[int, int]:
        return {0: self._found}


async def told(start: int, end: int) -> list[int]:
    voice = Voice(SETTINGS, Instrument())
    return [message.offset async for batch in stretch({}, voice, "t", 0, start, end) for message in batch]


async def test_a_stretch_is_read_as_far_as_its_end_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    Broker(monkeypatch, [message(offset) for offset in range(3, 9)])
    assert await told(3, 6) == [3, 4, 5]


async def test_what_was_deleted_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    Broker(monkeypatch, [message(5), over(6)])
    assert await told(3, 6) == [5]
    Broker(monkeypatch, [over(6)])
    assert await told(3, 6) == []
    Broker(monkeypatch, [message(8)])
    assert await told(3, 6) == []


async def test_a_broker_that_does_not_know_of_all_of_it_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was stopped for longer than it was believed to live: it tells what it knew, and that there is no more."""
    Broker(monkeypatch, [message(3), message(4), over(5)])
    with pytest.raises(StorageUnavailable, match="does not know of the last messages"):
        await told(3, 6)


async def test_a_broker_that_knows_of_less_begins_from_the_front_and_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    Broker(monkeypatch, [message(0), message(1), over(2)])
    with pytest.raises(StorageUnavailable):
        await told(3, 6)


async def test_one_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    Broker(monkeypatch, [message(3)])
    with pytest.raises(StorageUnavailable):
        await told(3, 6)


async def since(broker: Broker, made: int, end: int) -> list[int]:
    instrument = Instrument()
    log = KafkaLog(SETTINGS, cast("Admin", broker), Clock(), Voice(SETTINGS, instrument), instrument)
    return [message.offset async for batch in log.read(TOPIC, 0, made, end) for message in batch]


async def test_who_finds_nothing_made_since_is_not_believed_if_the_last_one_was(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker(monkeypatch, [message(5), over(6)], found=-1)
    with pytest.raises(StorageUnavailable):
        await since(broker, 5, 6)


async def test_where_nothing_was_made_since_there_is_nothing_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker(monkeypatch, [message(5), over(6)], found=-1)
    assert await since(broker, 6, 6) == [5], "the last one, which was made before"
    assert await since(Broker(monkeypatch, [], found=7), 7, 6) == []

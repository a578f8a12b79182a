"""Whoever goes by the models finds out what breaks them, and passes what doesn't."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import Phase, settings

from esclusa.engines.memory import MemoryEngine, World
from esclusa.kernel.clock import Clock
from esclusa.ports.records import Row
from esclusa.testing.exams import Features, sequences
from esclusa.testing.exams.sequences import LogModelExam, RecordsModelExam

Break = Callable[[MemoryEngine], None]


@pytest.fixture(autouse=True)
def unshortened(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sequence that fails is found, and not shortened: that takes minutes."""
    found = settings(sequences.EXAMPLES, phases=[Phase.generate])
    monkeypatch.setattr(sequences, "EXAMPLES", found)


class Broken:
    """Processes on one memory; each is broken in the same way as soon as it is started."""

    features = Features(durable=True, processes=True)

    def __init__(self, breaks: Break) -> None:
        self._world = World()
        self._breaks = breaks

    async def process(self, clock: Clock) -> MemoryEngine:
        engine = MemoryEngine(clock, self._world)
        self._breaks(engine)
        return engine


def examined(exam: Any, breaks: Break) -> Any:
    """The `exam` of a memory that is broken so."""

    @asynccontextmanager
    async def deployment() -> AsyncIterator[Broken]:
        yield Broken(breaks)

    return type("Examined", (exam,), {"deployment": staticmethod(deployment)})()


def sound(_: MemoryEngine) -> None:
    """Nothing is broken."""


def forgets_nothing(engine: MemoryEngine) -> None:
    def done() -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future

    engine.records.forget = lambda *_: done()


def forgets_for_no_time(engine: MemoryEngine) -> None:
    forget = engine.records.forget
    engine.records.forget = lambda key, until: forget(key, min(until, 0))


def ranks_mean_nothing(engine: MemoryEngine) -> None:
    put = engine.records.put

    def flat(key: bytes, rows: Sequence[Row]) -> asyncio.Future[None]:
        return put(key, [Row(row.name, row.head, row.body, row.expires) for row in rows])

    engine.records.put = flat


def add_says_what_it_was_given(engine: MemoryEngine) -> None:
    add = engine.records.add

    async def said(key: bytes, row: Row) -> Row:
        await add(key, row)
        return row

    engine.records.add = said  # type: ignore[assignment]  # it is awaited all the same


def positions_are_lost(engine: MemoryEngine) -> None:
    """Who commits is told that it is done, and whoever comes next begins after the end."""
    subscribe = engine.log.subscribe

    async def join(*arguments: Any) -> Any:
        member = await subscribe(*arguments)
        commit = member.commit
        member.commit = lambda partition, position: commit(partition, position + 1)
        return member

    engine.log.subscribe = join  # type: ignore[assignment]  # whatever it is given is passed on


def every_tenth_message_is_lost(engine: MemoryEngine) -> None:
    append, count = engine.log.append, iter(range(1_000_000))

    def lossy(topic: Any, key: bytes, value: bytes) -> Any:
        return engine.log.end(topic, 0) if next(count) % 10 == 9 else append(topic, key, value)

    engine.log.append = lossy


@pytest.mark.parametrize("breaks", [forgets_nothing, forgets_for_no_time, ranks_mean_nothing, add_says_what_it_was_given])
def test_records_that_are_not_like_the_model_are_found_out(breaks: Break) -> None:
    with pytest.raises(AssertionError):
        examined(RecordsModelExam, breaks).test_records_are_like_the_model()


@pytest.mark.parametrize("breaks", [positions_are_lost, every_tenth_message_is_lost])
def test_a_log_that_is_not_like_the_model_is_found_out(breaks: Break) -> None:
    with pytest.raises((AssertionError, TimeoutError, ExceptionGroup)):
        examined(LogModelExam, breaks).test_groups_are_like_the_model()


def test_what_is_like_the_models_passes() -> None:
    examined(RecordsModelExam, sound).test_records_are_like_the_model()
    examined(LogModelExam, sound).test_groups_are_like_the_model()

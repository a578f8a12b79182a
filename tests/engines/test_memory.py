"""The engine `memory`, by the exams of the ports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from esclusa.engines.memory import MemoryEngine, World
from esclusa.kernel.clock import Clock
from esclusa.testing.exams import Features, KeysExam, LogExam, RecordsExam, UpkeepExam

pytestmark = pytest.mark.virtual_time


class Memory:
    """Processes on one memory."""

    def __init__(self, *, kept: bool) -> None:
        self.features = Features(processes=True, durable=kept)
        self._world = World()
        self._kept = kept
        self._started: list[MemoryEngine] = []

    async def process(self, clock: Clock) -> MemoryEngine:
        """One more process; on an empty memory where all others have ended and nobody has kept it."""
        if not self._kept and all(engine.ended for engine in self._started):
            self._world = World()
        engine = MemoryEngine(clock, self._world)
        await engine.start()
        self._started.append(engine)
        return engine


@asynccontextmanager
async def memory() -> AsyncIterator[Memory]:
    """A memory that ends with its processes, as it does when it is used as an engine."""
    yield Memory(kept=False)


@asynccontextmanager
async def kept() -> AsyncIterator[Memory]:
    """A memory that somebody keeps for processes to come, as tests of crashes do."""
    yield Memory(kept=True)


class TestLog(LogExam):
    """The log."""

    deployment = staticmethod(memory)


class TestRecords(RecordsExam):
    """The records."""

    deployment = staticmethod(memory)


class TestKeys(KeysExam):
    """The keys."""

    deployment = staticmethod(memory)


class TestUpkeep(UpkeepExam):
    """Administration."""

    deployment = staticmethod(memory)


class TestKeptLog(LogExam):
    """The log of a memory that is kept."""

    deployment = staticmethod(kept)


class TestKeptRecords(RecordsExam):
    """The records of a memory that is kept."""

    deployment = staticmethod(kept)


class TestKeptKeys(KeysExam):
    """The keys of a memory that is kept."""

    deployment = staticmethod(kept)

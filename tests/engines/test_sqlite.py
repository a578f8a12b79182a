"""The engine `sqlite`, by the exams of the ports."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from esclusa.engines.sqlite import SqliteEngine
from esclusa.kernel.clock import Clock
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.signal import Signals
from esclusa.testing.exams import Features, KeysExam, LogExam, RecordsExam, UpkeepExam

pytestmark = pytest.mark.virtual_time


class Sqlite:
    """Processes on one folder, one at a time."""

    features = Features(durable=True)

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[SqliteEngine] = []

    async def process(self, clock: Clock) -> SqliteEngine:
        """One more process."""
        engine = SqliteEngine(self._folder, clock, Instrument(), Signals())
        await engine.start()
        self._started.append(engine)
        return engine

    def end(self) -> None:
        """End what still runs."""
        for engine in self._started:
            engine.kill()


@asynccontextmanager
async def sqlite() -> AsyncIterator[Sqlite]:
    """A folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        deployment = Sqlite(Path(folder) / "data")
        try:
            yield deployment
        finally:
            deployment.end()


class TestLog(LogExam):
    """The log."""

    deployment = staticmethod(sqlite)


class TestRecords(RecordsExam):
    """The records."""

    deployment = staticmethod(sqlite)


class TestKeys(KeysExam):
    """The keys."""

    deployment = staticmethod(sqlite)


class TestUpkeep(UpkeepExam):
    """Administration."""

    deployment = staticmethod(sqlite)

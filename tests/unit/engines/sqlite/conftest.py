"""Engines on a folder of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from esclusa.engines.sqlite import SqliteEngine
from esclusa.kernel.clock import Clock
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.signal import Signals
from esclusa.testing import virtual

Maker = Callable[..., SqliteEngine]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the data are; absent at first."""
    return tmp_path / "data"


@pytest.fixture
def make(folder: Path) -> Iterator[Maker]:
    """Make an engine on the folder, to be started; what still runs at the end of the test is killed."""
    made: list[SqliteEngine] = []

    def make(clock: Clock | None = None, instrument: Instrument | None = None, signals: Signals | None = None) -> SqliteEngine:
        time = Clock(epoch=virtual.EPOCH) if clock is None else clock
        made.append(SqliteEngine(folder, time, instrument or Instrument(), signals or Signals()))
        return made[-1]

    yield make
    for engine in made:
        engine.kill()

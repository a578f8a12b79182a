"""Times of the API, for people."""

from __future__ import annotations

import pytest

from esclusa.cli.moments import instant, local, time_of_day
from esclusa.kernel.clock import rfc3339


def test_a_moment_is_read_as_it_was_written() -> None:
    assert instant(rfc3339(1_795_342_830_456)) == 1_795_342_830.456


def test_it_is_shown_in_the_time_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Europe/Madrid")
    time.tzset()
    try:
        assert local("2026-11-22T10:20:30.456Z") == "2026-11-22 11:20:30"
        assert time_of_day(instant("2026-11-22T10:20:30.456Z")) == "11:20:30"
    finally:
        monkeypatch.undo()
        time.tzset()

"""What every part of a real process is given."""

from __future__ import annotations

import gc

import pytest

from esclusa.bootstrap import Runtime, freeze_memory


async def test_what_is_said_goes_nowhere_unless_somebody_listens(capfd: pytest.CaptureFixture[str]) -> None:
    Runtime.real().instrument.error("nobody hears this")
    assert capfd.readouterr() == ("", "")


def test_what_lives_for_ever_is_not_collected_again() -> None:
    threshold = gc.get_threshold()
    try:
        freeze_memory()
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[0] > threshold[0]
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)

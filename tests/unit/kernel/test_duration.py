"""Lengths of time as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esclusa.kernel.duration import Duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("3s", 3), ("1m30s", 90), ("10m", 600), ("2h", 7200), ("365d", 365 * 86400), ("1.5s", 1.5), ("0s", 0)],
)
def test_what_people_write_is_seconds(text: str, seconds: float) -> None:
    assert Duration.parse(text) == seconds


@pytest.mark.parametrize("text", ["", "3", "s", "3 s", "-1s", "3sec", "1m 30s", "1e3s", "٣s"])
def test_anything_else_is_an_error_that_shows_how(text: str) -> None:
    with pytest.raises(ValueError, match='such as "250ms"'):
        Duration.parse(text)


@given(st.integers(0, 10**12))
def test_what_it_writes_it_reads(millis: int) -> None:
    assert round(Duration.parse(str(Duration(millis / 1000))) * 1000) == millis


def test_the_shortest_form() -> None:
    assert [str(Duration(seconds)) for seconds in (0, 0.25, 60, 90, 86400)] == ["0s", "250ms", "1m", "1m30s", "1d"]
    assert repr(Duration(90)) == "Duration('1m30s')"

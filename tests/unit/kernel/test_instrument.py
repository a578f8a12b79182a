"""What a process says of itself, and that it costs nothing when nobody listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from esclusa.kernel.instrument import Instrument, Level, masked


def test_lines_below_the_level_are_not_given_to_the_sink() -> None:
    said: list[tuple[Level, str, dict[str, Any]]] = []
    instrument = Instrument(lambda level, event, facts: said.append((level, event, facts)), Level.WARN)
    instrument.debug("a")
    instrument.info("b")
    instrument.warn("c", why=1)
    instrument.error("d")
    assert said == [(Level.WARN, "c", {"why": 1}), (Level.ERROR, "d", {})]


def test_with_no_sink_nothing_is_said() -> None:
    instrument = Instrument(level=Level.DEBUG)
    instrument.error("nobody hears this")
    assert instrument.level is Level.SILENT


def test_counters_of_one_name_are_one() -> None:
    instrument = Instrument()
    instrument.counter("n", "About.", "label").add("x")
    instrument.counter("n", "About.", "label").add("x", amount=2)
    assert instrument.counters["n"].values == {("x",): 3}


def test_a_histogram_counts_by_bucket_and_sums() -> None:
    histogram = Instrument().histogram("h", "About.", "label", bounds=(1, 10))
    for value in (0.5, 1, 5, 50):
        histogram.observe(value, "x")
    assert histogram.values == {("x",): [2, 1, 1, 56.5]}


def test_a_span_is_made_by_whoever_traces() -> None:
    spans: list[str] = []

    @contextmanager
    def span(name: str, facts: dict[str, Any]) -> Iterator[None]:
        spans.append(f"{name} {facts}")
        yield

    with Instrument(spans=span).span("work", size=1):
        pass
    with Instrument().span("work"):
        pass
    assert spans == ["work {'size': 1}"]


@pytest.mark.parametrize(("subject", "shown"), [("12345678Z", "******78Z"), ("ab", "**"), ("", ""), ("123456", "***456")])
def test_a_persons_identifier_is_masked(subject: str, shown: str) -> None:
    assert masked(subject) == shown

"""Counters, gauges, spans and log lines, said once at the port and listened to by whoever is there.

Parts name what happens; `esclusa.observability` gives it a form (Prometheus, JSON lines). With no listener a counter is
one dictionary update, a span is a constant, and a log line is one comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from enum import IntEnum
from typing import Any, Protocol


class Level(IntEnum):
    """How much a log line matters."""

    DEBUG = 10
    INFO = 20
    WARN = 30
    ERROR = 40
    SILENT = 100


class Sink(Protocol):
    """Where log lines go. `subject` and other personal data must be masked before they get here."""

    def __call__(self, level: Level, event: str, facts: dict[str, Any], /) -> None:
        """Take one line."""


SpanMaker = Callable[[str, dict[str, Any]], AbstractContextManager[None]]
_NO_SPAN: AbstractContextManager[None] = nullcontext()


class Counter:
    """Something that only grows, by labels."""

    __slots__ = ("help", "labels", "name", "values")

    def __init__(self, name: str, about: str, labels: tuple[str, ...]) -> None:
        self.name = name
        self.help = about
        self.labels = labels
        self.values: dict[tuple[str, ...], float] = {}

    def add(self, *labels: str, amount: float = 1) -> None:
        """Count `amount` for these label values (in the order of `labels`)."""
        self.values[labels] = self.values.get(labels, 0) + amount


Reader = Callable[[], Iterator[tuple[tuple[str, ...], float]]]
"""The rows of a gauge, now: `(label values, value)`."""


class Gauge:
    """Something that goes up and down, read when it is asked for."""

    __slots__ = ("help", "labels", "name", "readers")

    def __init__(self, name: str, about: str, labels: tuple[str, ...]) -> None:
        self.name = name
        self.help = about
        self.labels = labels
        self.readers: list[Reader] = []

    def read(self) -> Iterator[tuple[tuple[str, ...], float]]:
        """Its rows now: `(label values, value)`, from everyone who has some."""
        for reader in self.readers:
            yield from reader()


class Histogram:
    """How long (or how much) something was, by labels, in fixed buckets."""

    __slots__ = ("bounds", "help", "labels", "name", "values")

    def __init__(self, name: str, about: str, labels: tuple[str, ...], bounds: tuple[float, ...]) -> None:
        self.name = name
        self.help = about
        self.labels = labels
        self.bounds = bounds
        self.values: dict[tuple[str, ...], list[float]] = {}

    def observe(self, value: float, *labels: str) -> None:
        """Count one `value`. Row: one count a bucket, one for what is above them all, the sum."""
        row = self.values.get(labels)
        if row is None:
            row = self.values[labels] = [0.0] * (len(self.bounds) + 2)
        place = 0
        for bound in self.bounds:
            if value <= bound:
                break
            place += 1
        row[place] += 1
        row[-1] += value


class Instrument:
    """What a process says of itself. One a process; every part is given it."""

    def __init__(self, sink: Sink | None = None, level: Level = Level.SILENT, spans: SpanMaker | None = None) -> None:
        self._sink = sink
        self._spans = spans
        self.level = level if sink is not None else Level.SILENT
        self.counters: dict[str, Counter] = {}
        self.gauges: dict[str, Gauge] = {}
        self.histograms: dict[str, Histogram] = {}

    def counter(self, name: str, about: str, *labels: str) -> Counter:
        """The counter `name` (`esclusa_..._total`); the same one for the same name."""
        return self.counters.setdefault(name, Counter(name, about, labels))

    def gauge(self, name: str, about: str, labels: tuple[str, ...], read: Reader) -> Gauge:
        """The gauge `name`, whose rows `((label values), value)` are read whenever somebody looks; several may have some."""
        gauge = self.gauges.setdefault(name, Gauge(name, about, labels))
        gauge.readers.append(read)
        return gauge

    def histogram(self, name: str, about: str, *labels: str, bounds: tuple[float, ...]) -> Histogram:
        """The histogram `name`, with upper `bounds` in ascending order."""
        return self.histograms.setdefault(name, Histogram(name, about, labels, bounds))

    def span(self, name: str, **facts: Any) -> AbstractContextManager[None]:
        """A stretch of work, for whoever traces."""
        return _NO_SPAN if self._spans is None else self._spans(name, facts)

    def debug(self, event: str, **facts: Any) -> None:
        """A step, for whoever looks for a fault."""
        if self.level <= Level.DEBUG and self._sink is not None:
            self._sink(Level.DEBUG, event, facts)

    def info(self, event: str, **facts: Any) -> None:
        """A relevant event: one a back-end call, one a request at its start and its end."""
        if self.level <= Level.INFO and self._sink is not None:
            self._sink(Level.INFO, event, facts)

    def warn(self, event: str, **facts: Any) -> None:
        """Something that will hurt if it goes on: congestion, a late purge."""
        if self.level <= Level.WARN and self._sink is not None:
            self._sink(Level.WARN, event, facts)

    def error(self, event: str, **facts: Any) -> None:
        """Something failed that should not: a back end's error, a storage error."""
        if self.level <= Level.ERROR and self._sink is not None:
            self._sink(Level.ERROR, event, facts)


SHORT = 5
"""Characters up to which an identifier is masked whole."""


def masked(subject: str) -> str:
    """A person's identifier as it may be logged: the last three characters, the rest as `*` (`******78Z`)."""
    return "*" * max(0, len(subject) - 3) + subject[-3:] if len(subject) > SHORT else "*" * len(subject)

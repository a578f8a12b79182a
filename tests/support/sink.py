"""Stands in for where log lines go: keeps them all."""

from __future__ import annotations

from typing import Any

from esclusa.kernel.instrument import Instrument, Level

Line = tuple[Level, str, dict[str, Any]]


class Sink(list[Line]):
    """Every line, in order: how much it matters, what happened, and its facts."""

    def __call__(self, level: Level, event: str, facts: dict[str, Any], /) -> None:
        self.append((level, event, facts))

    def instrument(self, level: Level = Level.DEBUG) -> Instrument:
        """One that says what it has to say here."""
        return Instrument(self, level)

    def facts(self, event: str) -> list[dict[str, Any]]:
        """Those of each line that says `event`."""
        return [facts for _, said, facts in self if said == event]

    @property
    def events(self) -> list[str]:
        """What happened, in order."""
        return [event for _, event, _ in self]

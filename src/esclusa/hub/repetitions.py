"""Envelopes that may come again: those of requests under an idempotency key (H8)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from esclusa.hub.stored import Envelope
    from esclusa.kernel.clock import Clock


class Repetitions:
    """Which connectors hold such a request, or have finished it, in this process; remembered until its deadline."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked: dict[bytes, set[str]] = {}
        self._deadlines: deque[tuple[int, bytes]] = deque()

    def asked(self, envelope: Envelope) -> set[str]:
        """Who has been asked what `envelope` asks."""
        return self._asked.get(envelope.id, set())

    def ask(self, envelope: Envelope, connectors: Iterable[str]) -> None:
        """They are asked now, or have answered before."""
        if not envelope.keyed:
            return
        now = self._clock.millis()
        while self._deadlines and self._deadlines[0][0] <= now:
            self._asked.pop(self._deadlines.popleft()[1], None)
        if envelope.id not in self._asked:
            self._deadlines.append((envelope.times.deadline, envelope.id))
        self._asked.setdefault(envelope.id, set()).update(connectors)

    def recall(self, envelope: Envelope, connectors: Iterable[str]) -> None:
        """They don't answer it here after all."""
        self.asked(envelope).difference_update(connectors)

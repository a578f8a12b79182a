"""Envelopes that come again: a submission repeated under an idempotency key (H8), or one append that stands twice in the log."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from esclusa.hub.stored import Envelope
    from esclusa.kernel.clock import Clock


class Repetitions:
    """Requests that this process holds, or has finished; remembered until their deadline, as nobody is called after it.

    An id costs some 250 bytes: 15 MB at a thousand requests a second that live for a minute.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ids: set[bytes] = set()
        self._deadlines: deque[tuple[int, bytes]] = deque()

    def __contains__(self, envelope: Envelope) -> bool:
        return envelope.id in self._ids

    def add(self, envelope: Envelope) -> None:
        """Each of its connectors is handed its request now, or has answered it before."""
        now = self._clock.millis()
        while self._deadlines and self._deadlines[0][0] <= now:
            self._ids.discard(self._deadlines.popleft()[1])
        if envelope.id not in self._ids:
            self._ids.add(envelope.id)
            self._deadlines.append((envelope.times.deadline, envelope.id))

    def discard(self, envelope: Envelope) -> None:
        """Connectors were recalled: they don't answer it here after all. Who has, is found in the log."""
        self._ids.discard(envelope.id)

"""What storage has refused, until it is tried again: all of it together, at growing intervals, with one line for each round.

One timer and one warning, however many operations wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from esclusa.hub.backoff import Backoff

if TYPE_CHECKING:
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.instrument import Instrument


class Resend:
    """Operations of one kind that failed and have to be tried again."""

    def __init__(self, what: str, clock: Clock, instrument: Instrument) -> None:
        """`what`: said in the log when a round begins."""
        self._what = what
        self._clock = clock
        self._instrument = instrument
        self._waiting: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._backoff = Backoff()
        self._error = ""

    def later(self, again: Callable[[], None], error: str) -> None:
        """Call `again` in the next round; `error` is what it failed with."""
        self._waiting.append(again)
        self._error = error
        if self._timer is None:
            self._timer = self._clock.call_at(self._clock.now() + self._backoff.next(), self._round)

    def succeeded(self) -> None:
        """Storage takes things again: the next failure is a first one."""
        self._backoff.succeeded()

    def close(self) -> None:
        """Try nothing again."""
        if self._timer is not None:
            self._timer.cancel()
        self._waiting.clear()

    def _round(self) -> None:
        self._timer = None
        waiting, self._waiting = self._waiting, []
        self._instrument.warn(self._what, operations=len(waiting), error=self._error)
        for again in waiting:
            again()

"""How long a reader may take for what it is sent."""

from __future__ import annotations

import asyncio

from esclusa.kernel.clock import Clock
from esclusa.kernel.instrument import Counter

LEAST_RATE = 16 * 1024
"""Bytes a second that a reader takes at least, once `[server] bodyTimeout` is over."""


class StallGuard:
    """With the reader of one connection: it is cut off when it has taken nothing for a while, or not all in time."""

    __slots__ = ("_by", "_clock", "_look", "_refused", "_seconds", "_transport")

    def __init__(self, transport: asyncio.Transport, seconds: float, clock: Clock, refused: Counter) -> None:
        """`seconds`: between two looks, in which it has to take something."""
        self._transport = transport
        self._seconds = seconds
        self._clock = clock
        self._refused = refused
        self._look: asyncio.TimerHandle | None = None
        self._by = 0.0

    def begin(self) -> None:
        """It has fallen behind: it has some time to take anything, and some for all of it.

        Nothing is added to what waits here: of a stream, it is an event or a few.
        """
        left = self._transport.get_write_buffer_size()
        self._by = self._clock.now() + self._seconds + left / LEAST_RATE
        self._look_again(left + 1)

    def end(self) -> None:
        """It has caught up, or gone."""
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _look_again(self, before: int) -> None:
        left, now = self._transport.get_write_buffer_size(), self._clock.now()
        if left >= before or now >= self._by:
            self._refused.add("stalled")
            self._transport.abort()
            return
        self._look = self._clock.call_at(min(now + self._seconds, self._by), self._look_again, left)

"""Connections that nobody uses: kept for the next call, the last used first, and closed after a while."""

from __future__ import annotations

import asyncio

from esclusa.connectors.tcp.connection import Connection
from esclusa.kernel.clock import Clock

IDLE = 30.0
"""Seconds that an unused connection is kept, as the HTTP client has it: what lies between may forget it in silence."""
_GRAIN = 0.001
"""Seconds: the grain of the event loop's timers, which may be that much early."""


class Pool:
    """The free connections to one back end."""

    def __init__(self, clock: Clock, *, keep: bool) -> None:
        """`keep`: unless it is so, a connection serves one call."""
        self._clock = clock
        self._keep = keep
        self._free: list[Connection] = []
        """The last used last, which is the last to end, too."""
        self._timer: asyncio.TimerHandle | None = None
        """Set for the first of them, or for one that stood before it; None while there is none."""

    def take(self) -> Connection | None:
        """One over which a call may be made, if there is any."""
        now = self._clock.now()
        while self._free:
            connection = self._free.pop()
            if connection.free and now < connection.until:
                return connection
            connection.close()
        return None

    def give(self, connection: Connection) -> None:
        """Nobody uses it any more."""
        if not self._keep or not connection.free:
            connection.close()
            return
        connection.until = self._clock.now() + IDLE
        self._free.append(connection)
        if self._timer is None:
            self._timer = self._clock.call_at(connection.until, self._tick)

    def close(self) -> None:
        """Close them, and keep none from now on."""
        self._keep = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._free:
            self._free.pop().close()

    def _tick(self) -> None:
        now = self._clock.now() + _GRAIN
        while self._free and self._free[0].until <= now:
            self._free.pop(0).close()
        self._timer = self._clock.call_at(self._free[0].until, self._tick) if self._free else None

"""A start that waits for what the process stands on.

After a power cut, or in a new cluster, everything starts at once: brokers and nodes may be away when a process starts, and
come soon. So a part that can't start because something doesn't answer is started again until it can. What waiting doesn't
mend ends the start: a refused login, a certificate that isn't trusted, tables that may not be made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from esclusa.hub.backoff import Backoff
from esclusa.kernel.errors import StorageRefused, StorageUnavailable

if TYPE_CHECKING:
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.instrument import Instrument
    from esclusa.kernel.lifecycle import Part

AGAIN, SELDOM = 10.0, 600.0
"""Seconds after which it is said again what is waited for; twice as many each time, and in the end as often as this."""


class Patience:
    """Starts parts, each as often as it takes."""

    def __init__(self, waits: Callable[[str], None], clock: Clock, instrument: Instrument) -> None:
        """`waits`: told each time why, in words."""
        self._waits = waits
        self._clock = clock
        self._instrument = instrument
        self._began = clock.now()
        self._said: set[str] = set()
        self._pause = AGAIN
        self._next = 0.0

    async def start(self, part: Part) -> None:
        """Start it. Raises what waiting doesn't mend: any error but `StorageUnavailable`, and `StorageRefused`."""
        backoff = Backoff()
        while True:
            try:
                return await part.start()
            except StorageRefused:
                raise
            except StorageUnavailable as error:
                self._say(str(error))
            await self._clock.sleep(backoff.next())

    def _say(self, reason: str) -> None:
        """This is why it waits now. The log has each reason once, then at growing intervals the present one."""
        self._waits(reason)
        now = self._clock.now()
        if reason in self._said and now < self._next:
            return
        if now >= self._next:
            self._next, self._pause = now + self._pause, min(self._pause * 2, SELDOM)
        self._said.add(reason)
        self._instrument.warn("waiting to start", reason=reason, waitedMs=round((now - self._began) * 1000))

"""Files that the configuration takes in or names, looked at again and again: secrets and certificates are renewed in them.

What is in them is taken as by a reload: whole, or not at all, and without disturbing what is in flight. The configuration
itself is not looked at, and not read: it changes when somebody says so.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from esclusa.bootstrap.reload import Reload
from esclusa.kernel.errors import ConfigurationError
from esclusa.kernel.lifecycle import Background

if TYPE_CHECKING:
    from esclusa.kernel.clock import Clock

EVERY = 5.0
"""Seconds between two looks."""
SETTLING = 0.5
"""Seconds without change after which a file is taken to have been written to its end."""
_TIMES = 10
"""As often as that it may change meanwhile; then it is taken as it is."""
_Stamp = tuple[int, int, int] | None
"""What changes with a file: its number, its size, when it was written; None: it is not there."""


class Watch:
    """A part (`kernel.lifecycle`)."""

    def __init__(self, reload: Reload, clock: Clock) -> None:
        """To be made as soon as the configuration has been read: what changes from here on is taken."""
        self.background = Background("watch")
        self._reload = reload
        self._clock = clock
        self._seen = self._stamps()

    async def start(self) -> None:
        """Look from now on."""
        self.background.spawn("files", self._look())

    async def drain(self) -> None:
        """Look no more."""
        await self.background.cancel()

    async def stop(self) -> None:
        """As `drain`."""
        await self.background.cancel()

    async def _look(self) -> None:
        while True:
            await self._clock.sleep(EVERY)
            now = await asyncio.to_thread(self._stamps)
            if now != self._seen:
                self._seen = await self._settled(now)
                with suppress(ConfigurationError):  # which is in the log; the next change may mend it
                    await self._reload.renew()

    async def _settled(self, now: dict[str, _Stamp]) -> dict[str, _Stamp]:
        """How the files are once nobody writes them any more: half a secret is none."""
        for _ in range(_TIMES):
            await self._clock.sleep(SETTLING)
            before, now = now, await asyncio.to_thread(self._stamps)
            if now == before:
                break
        return now

    def _stamps(self) -> dict[str, _Stamp]:
        return {path: _stamp(path) for path in self._reload.files}


def _stamp(path: str) -> _Stamp:
    try:
        found = Path(path).stat()
    except (OSError, ValueError):  # what can be no path is no file
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns

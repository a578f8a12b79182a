"""Files that the configuration takes in or names, looked at again and again: secrets and certificates are renewed in them.

What is in them is taken as by a reload: whole, or not at all, and without disturbing what is in flight. The configuration
itself is not looked at: it changes when somebody says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from esclusa.bootstrap.reload import Reload, named_files
from esclusa.kernel.errors import ConfigurationError
from esclusa.kernel.lifecycle import Background

if TYPE_CHECKING:
    from esclusa.kernel.clock import Clock

EVERY = 5.0
"""Seconds between two looks."""
_Stamp = tuple[int, int, int] | None
"""What changes with a file: its number, its size, when it was written; None: it is not there."""


class Watch:
    """A part (`kernel.lifecycle`)."""

    def __init__(self, secrets: Callable[[], Collection[str]], reload: Reload, clock: Clock) -> None:
        """`secrets`: the files that the configuration takes in, by their paths."""
        self.background = Background("watch")
        self._secrets = secrets
        self._reload = reload
        self._clock = clock

    async def start(self) -> None:
        """Look from now on."""
        self.background.spawn("files", self._look(await asyncio.to_thread(self._stamps)))

    async def drain(self) -> None:
        """Look no more."""
        await self.background.cancel()

    async def stop(self) -> None:
        """As `drain`."""
        await self.background.cancel()

    async def _look(self, before: dict[str, _Stamp]) -> None:
        while True:
            await self._clock.sleep(EVERY)
            now = await asyncio.to_thread(self._stamps)
            if now != before:
                with suppress(ConfigurationError):  # which is in the log; the next change may mend it
                    await self._reload()
                after = await asyncio.to_thread(self._stamps)
                before = {
                    path: now.get(path, stamp) for path, stamp in after.items()
                }  # what changed meanwhile is seen next time

    def _stamps(self) -> dict[str, _Stamp]:
        return {path: _stamp(path) for path in (*self._secrets(), *named_files(self._reload.configuration))}


def _stamp(path: str) -> _Stamp:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns

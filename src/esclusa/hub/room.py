"""What a part holds in memory, in bytes, and waiting until there is room for more."""

from __future__ import annotations

import asyncio


class Room:
    """So many bytes. What is taken may go beyond it by one message: it is asked for before the next is consumed."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.taken = 0
        self._free = asyncio.Event()
        self._free.set()

    def take(self, size: int) -> None:
        """`size` bytes are held from now on."""
        self.taken += size
        if self.taken >= self._size:
            self._free.clear()

    def give_back(self, size: int) -> None:
        """They are held no more."""
        self.taken -= size
        if self.taken < self._size:
            self._free.set()

    async def wait(self) -> None:
        """Return when there is room."""
        await self._free.wait()

"""What a part holds in memory, in bytes, and saying when there is no room for more."""

from __future__ import annotations

from collections.abc import Callable


class Room:
    """So many bytes. What is taken may go beyond it, by what was at hand when it was full: consuming pauses meanwhile."""

    def __init__(self, size: int, full: Callable[[bool], None]) -> None:
        """`full(True)` once there is no room, `full(False)` once there is some again."""
        self._size = size
        self._told = full
        self.taken = 0
        self.full = False

    def take(self, size: int) -> None:
        """`size` bytes are held from now on."""
        self.taken += size
        self._tell()

    def give_back(self, size: int) -> None:
        """They are held no more."""
        self.taken -= size
        self._tell()

    def _tell(self) -> None:
        full = self.taken >= self._size
        if full != self.full:
            self.full = full
            self._told(full)

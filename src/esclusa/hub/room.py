"""What a process holds in memory, in bytes, and saying when there is no room for more."""

from __future__ import annotations

from collections.abc import Callable


class Room:
    """A budget of `size` bytes. What is at hand when it is full may exceed it; consuming pauses meanwhile."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._listeners: list[Callable[[bool], None]] = []
        self.taken = 0
        self.full = False

    def add_listener(self, listener: Callable[[bool], None]) -> None:
        """Call `listener(True)` whenever there is no room from now on, `listener(False)` once there is some again."""
        self._listeners.append(listener)

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
            for listener in self._listeners:
                listener(full)

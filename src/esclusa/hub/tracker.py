"""Which messages of a partition are done with: pure. The position to commit is the lowest one that is not."""

from __future__ import annotations

from collections import deque


class Tracker:
    """Messages taken in order and finished in any order."""

    __slots__ = ("_holds", "_next", "_open")

    def __init__(self, position: int) -> None:
        """`position`: the first offset that may come."""
        self._next = position
        self._open: deque[int] = deque()
        self._holds: dict[int, int] = {}

    def take(self, offset: int) -> None:
        """A message has been received, and is held once; offsets grow, gaps are fine."""
        self._open.append(offset)
        self._holds[offset] = 1
        self._next = offset + 1

    def hold(self, offset: int) -> None:
        """One more thing stands between this message and its end."""
        self._holds[offset] += 1

    def finish(self, offset: int) -> None:
        """One of those things is done; with the last, the message is."""
        left = self._holds[offset] - 1
        if left:
            self._holds[offset] = left
            return
        del self._holds[offset]
        while self._open and self._open[0] not in self._holds:
            self._open.popleft()

    @property
    def position(self) -> int:
        """Everything below is done with."""
        return self._open[0] if self._open else self._next

    @property
    def open(self) -> int:
        """How many messages have been taken and are not done with."""
        return len(self._holds)

"""How long to wait before something that failed is tried again: an outage is no reason for a storm."""

from __future__ import annotations

FIRST, MOST = 0.1, 2.0
"""Seconds before the first repetition, and between two of them at the most."""


class Backoff:
    """Waits that double from failure to failure, until something succeeds."""

    def __init__(self) -> None:
        self._wait = FIRST

    def next(self) -> float:
        """Seconds to wait after this failure."""
        wait, self._wait = self._wait, min(self._wait * 2, MOST)
        return wait

    def succeeded(self) -> None:
        """The next failure is a first one."""
        self._wait = FIRST

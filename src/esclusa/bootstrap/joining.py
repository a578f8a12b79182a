"""A start that ends when the process has its share of the work.

Until a collector or a pool has been given partitions, others do its work. A rolling restart goes on when a process says that
it is ready, so it is ready only then: else the others would be gone before it has begun.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

    from esclusa.kernel.clock import Clock

NOTHING_YET = "it waits to be given its partitions"


class Member(Protocol):
    """A part that consumes as a member of a group."""

    @property
    def given(self) -> asyncio.Event:
        """Set once it has been given a partition."""


class Joining:
    """The part that waits until each member has been given a partition; start it after them.

    Who is given none in time isn't waited for: there are more members than partitions.
    """

    def __init__(self, members: Sequence[Member], seconds: float, waits: Callable[[str], None], clock: Clock) -> None:
        """`seconds`: in which others let go of what is to be another's. `waits`: told why, in words."""
        self._members = members
        self._seconds = seconds
        self._waits = waits
        self._clock = clock

    async def start(self) -> None:
        """Return when each has been given one, or time is up."""
        self._waits(NOTHING_YET)
        try:
            async with self._clock.timeout_at(self._clock.now() + self._seconds):
                for member in self._members:
                    await member.given.wait()
        except TimeoutError:
            pass  # it is given one when another member leaves

    async def drain(self) -> None:
        """Nothing runs."""

    async def stop(self) -> None:
        """Nothing is held."""

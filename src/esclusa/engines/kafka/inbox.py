"""What waits for `receive`: messages that have been fetched, within the fetcher's bounds."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Generic, TypeVar

from esclusa.engines.kafka.fetcher import Batch, Fetcher
from esclusa.kernel.message import Message

C = TypeVar("C")


class Inbox(Generic[C]):
    """Batches in the order in which they came, each for a claim."""

    def __init__(self) -> None:
        self._batches: deque[Batch[C]] = deque()
        self._woken = asyncio.Event()
        self.fetcher: Fetcher[C] | None = None

    def came(self, batches: Sequence[Batch[C]]) -> None:
        """The fetcher hands over."""
        self._batches += batches
        self._woken.set()

    def next(self) -> tuple[C, list[Message]] | None:
        """The batch that came first."""
        if not self._batches:
            return None
        claim, messages, size = self._batches.popleft()
        if self.fetcher is not None:
            self.fetcher.taken(size)
        return claim, messages

    def drop(self, claim: C) -> None:
        """What came for `claim` is no longer wanted."""
        gone = sum(size for other, _, size in self._batches if other is claim)
        if gone:
            self._batches = deque(batch for batch in self._batches if batch[0] is not claim)
            if self.fetcher is not None:
                self.fetcher.taken(gone)

    def wake(self) -> None:
        """There is something to look at."""
        self._woken.set()

    async def woken(self) -> None:
        """Wait until there is something to look at that was not there before."""
        self._woken.clear()
        await self._woken.wait()

"""Making the topics before anybody uses them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from esclusa.hub.topics import CANCELS, WAKEUPS, PoolTopics

if TYPE_CHECKING:
    from esclusa.ports.log import Topic
    from esclusa.ports.upkeep import Upkeep


class Setup:
    """The part that sets up the engines. Start it after them."""

    def __init__(self, pairs: Iterable[PoolTopics], engines: Sequence[Upkeep]) -> None:
        self.topics: Sequence[Topic] = [
            WAKEUPS,
            CANCELS,
            *(topic for pair in pairs for topic in (pair.requests, pair.answers)),
        ]
        """All that the hub uses."""
        self._engines = engines

    async def start(self) -> None:
        """Make what is absent. `StorageError`."""
        for engine in self._engines:
            await engine.setup(self.topics)

    async def drain(self) -> None:
        """Nothing runs."""

    async def stop(self) -> None:
        """What was made stays."""

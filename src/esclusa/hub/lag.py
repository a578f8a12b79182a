"""Lag: how many messages of each pool are not yet done with, by consumer group.

The log itself is asked, not the processes: so it is known of a pool whose processes are all dead, too. What is asked is
bounded: once every `EVERY` seconds for whoever scales by it, and for whoever looks at most once every `FRESH` seconds,
however many look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

from esclusa.hub.collect import GROUP
from esclusa.hub.consumer import consumers
from esclusa.kernel.errors import StorageError, Unavailable
from esclusa.kernel.lifecycle import Background

if TYPE_CHECKING:
    from esclusa.hub.inventory import Inventory
    from esclusa.hub.settings import PoolSettings
    from esclusa.hub.topics import PoolTopics
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.instrument import Instrument
    from esclusa.ports.log import Topic
    from esclusa.ports.upkeep import Upkeep

EVERY = 10.0
"""Seconds between two looks for the gauges: Prometheus looks as often, or less."""
FRESH = 2.0
"""Seconds for which what was read last is good enough for whoever asks."""
STALE = 60.0
"""Seconds after which the gauges say nothing rather than what was: who scales by them then leaves things as they are."""
PATIENCE = 5.0
"""Seconds that the log has to answer."""


class GroupLag(msgspec.Struct, frozen=True):
    """A group that reads a pool's requests."""

    name: str
    connector: str | None
    """The connector whose own group it is; None: the group of all connectors of the pool."""
    behind: int | None
    """Messages not yet done with; None: nobody has joined it yet."""


class PoolLag(msgspec.Struct, frozen=True):
    """A pool, and how far behind it is."""

    name: str
    consumers: Literal["pool", "connector"]
    partitions: int
    groups: list[GroupLag]
    answers: int | None
    """Messages of answers that have not been recorded yet; None: no collector has joined yet."""

    @property
    def behind(self) -> int | None:
        """Requests not yet done with: as many as the group has that is furthest behind."""
        return max((group.behind for group in self.groups if group.behind is not None), default=None)


class Lags:
    """The part that reads how far behind every pool is."""

    def __init__(
        self,
        topics: Mapping[str, PoolTopics],
        pools: Mapping[str, PoolSettings],
        inventory: Inventory,
        log: Upkeep,
        clock: Clock,
        instrument: Instrument,
    ) -> None:
        """`log`: the administration of the engine that has the log."""
        self.background = Background("lag")
        self._topics = topics
        self._pools = pools
        self._inventory = inventory
        self._log = log
        self._clock = clock
        self._instrument = instrument
        self._turn = asyncio.Lock()
        self._read: list[PoolLag] = []
        self._failure = ""
        """Why the last look failed; empty: it did not."""
        self._looked = self._known = float("-inf")
        """When it was last looked, and when with success, in seconds since the epoch."""
        instrument.gauge(
            "esclusa_pool_lag", "Requests in the log not yet done with, by consumer group", ("pool", "group"), self._behind
        )
        instrument.gauge("esclusa_pool_answers_lag", "Messages of answers not yet recorded", ("pool",), self._answers)

    async def start(self) -> None:
        """Look once every `EVERY` seconds."""
        self.background.spawn("look", self._repeat())

    async def drain(self) -> None:
        """Go on looking: a process that drains still tells how far behind its pools are."""

    async def stop(self) -> None:
        """Look no more."""
        await self.background.cancel()

    async def pools(self) -> list[PoolLag]:
        """Every pool, as of at most `FRESH` seconds ago, in the order of the configuration. Raises `Unavailable`."""
        async with self._turn:
            if self._clock.now() - self._looked >= FRESH:
                await self._look()
        if self._failure:
            raise Unavailable("How far behind the pools are can't be read right now", retry_after=FRESH)
        return self._read

    async def _repeat(self) -> None:
        while True:
            async with self._turn:
                await self._look()
            await self._clock.sleep(EVERY)

    async def _look(self) -> None:
        failed = self._failure
        try:
            async with self._clock.timeout_at(self._clock.now() + PATIENCE):
                self._read = await self._ask()
        except (StorageError, TimeoutError) as error:
            self._failure = str(error) or f"no answer within {PATIENCE:g} s"
        else:
            self._failure, self._known = "", self._clock.now()
        self._looked = self._clock.now()
        if self._failure and not failed:
            self._instrument.warn("lag can't be read", error=self._failure)

    async def _ask(self) -> list[PoolLag]:
        topics = [topic for pair in self._topics.values() for topic in (pair.requests, pair.answers)]
        behind: dict[tuple[str, str], int] = {}
        for lag in await self._log.lag(topics):
            place = lag.topic, lag.group
            behind[place] = behind.get(place, 0) + lag.end - lag.committed
        return [self._pool(pair, behind) for pair in self._topics.values()]

    def _pool(self, pair: PoolTopics, behind: Mapping[tuple[str, str], int]) -> PoolLag:
        def of(topic: Topic, group: str) -> int | None:
            return behind.get((topic.name, group))

        settings = self._pools[pair.pool]
        names = [name for name, connector in self._inventory.connectors.items() if connector.pool == pair.pool]
        groups = [
            GroupLag(each.group, each.connector, of(pair.requests, each.group)) for each in consumers(pair, settings, names)
        ]
        return PoolLag(pair.pool, settings.consumers, settings.partitions, groups, of(pair.answers, GROUP))

    def _current(self) -> list[PoolLag]:
        return self._read if self._clock.now() - self._known < STALE else []

    def _behind(self) -> Iterator[tuple[tuple[str, ...], float]]:
        for pool in self._current():
            for group in pool.groups:
                if group.behind is not None:
                    yield (pool.name, group.name), group.behind

    def _answers(self) -> Iterator[tuple[tuple[str, ...], float]]:
        for pool in self._current():
            if pool.answers is not None:
                yield (pool.name,), pool.answers

"""Whether this process lives, is ready, and what it has lost.

A lost dependency is no reason to take a process out of the balancer: one broker's absence would take every one of them.
So it is ready, and says that it is degraded, by which part and since when. Not ready is only who hasn't started yet, which
may wait for a dependency and says for which, or is draining.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from enum import Enum

import msgspec

from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageError, Unavailable
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.lifecycle import Background

EVERY = 5.0
"""Seconds between two looks at the dependencies."""
PATIENCE = 3.0
"""Seconds that a dependency has to answer."""

Check = Callable[[], Awaitable[None]]
"""Returns when a dependency works; raises `StorageError` in words when it doesn't."""


class Phase(Enum):
    """Where a process is in its life."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


class Loss(msgspec.Struct, frozen=True):
    """A dependency that does not work."""

    part: str
    since: int
    """Milliseconds since the epoch."""
    reason: str


class Health:
    """The part that looks at the dependencies. Start it last: from then on the process is ready, until it drains."""

    def __init__(self, checks: Mapping[str, Check], clock: Clock, instrument: Instrument) -> None:
        """`checks`: what this process depends on, by name."""
        self.background = Background("health")
        self._checks = checks
        self._clock = clock
        self._instrument = instrument
        self._losses: dict[str, Loss] = {}
        self.phase = Phase.STARTING
        self.waits_for = ""
        """Why the process has not started yet, in words; empty: it is just about to."""
        instrument.gauge("esclusa_ready", "1: it is ready; 0: it is starting, or draining", (), self._ready)
        instrument.gauge("esclusa_dependency_up", "1: it works; 0: it is lost", ("part",), self._up)

    @property
    def losses(self) -> list[Loss]:
        """What is lost right now."""
        return list(self._losses.values())

    def wait(self, reason: str) -> None:
        """The start waits, for this reason."""
        self.waits_for = reason

    def check_started(self) -> None:
        """`Unavailable` until the process has started."""
        if self.phase is Phase.STARTING:
            raise Unavailable("This process is starting")

    async def start(self) -> None:
        """Say ready; look at once and then every `EVERY` seconds."""
        self.phase = Phase.READY
        self.background.spawn("look", self._repeat())

    async def drain(self) -> None:
        """Say so."""
        self.phase = Phase.DRAINING

    async def stop(self) -> None:
        """Look no more."""
        self.phase = Phase.DRAINING
        await self.background.cancel()

    async def look(self) -> None:
        """Look at every dependency once."""
        for part, check in self._checks.items():
            try:
                async with self._clock.timeout_at(self._clock.now() + PATIENCE):
                    await check()
            except (StorageError, TimeoutError) as error:
                self._lost(part, str(error) or f"No answer within {PATIENCE:g} s")
            else:
                self._found(part)

    async def _repeat(self) -> None:
        while True:
            await self.look()
            await self._clock.sleep(EVERY)

    def _lost(self, part: str, reason: str) -> None:
        before = self._losses.get(part)
        self._losses[part] = Loss(part, self._clock.millis() if before is None else before.since, reason)
        if before is None:
            self._instrument.error("dependency lost", part=part, reason=reason)

    def _found(self, part: str) -> None:
        before = self._losses.pop(part, None)
        if before is not None:
            self._instrument.info("dependency back", part=part, lostMs=self._clock.millis() - before.since)

    def _ready(self) -> Iterator[tuple[tuple[str, ...], float]]:
        yield (), float(self.phase is Phase.READY)

    def _up(self) -> Iterator[tuple[tuple[str, ...], float]]:
        for part in self._checks if self.phase is not Phase.STARTING else ():  # before, nobody has looked
            yield (part,), float(part not in self._losses)

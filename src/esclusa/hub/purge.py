"""The purge: what has expired is destroyed, and that it is gone is looked at (H6).

Keys first: with its key destroyed, every copy of what it sealed is noise. Then rows, messages and tombstones, in small
steps. Nothing depends on its running in time but the disk: readers test the expiry themselves. When it is late it warns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esclusa.kernel.errors import StorageError
from esclusa.kernel.lifecycle import Background

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from esclusa.kernel.clock import Clock
    from esclusa.kernel.instrument import Instrument
    from esclusa.kernel.signal import Signals
    from esclusa.ports.keys import Keys
    from esclusa.ports.upkeep import Upkeep

EVERY = 2.0
"""Seconds between two rounds."""
LATE = 15.0
"""Seconds without a complete round after which it warns."""
STEPS = 100
"""Sweeps of one engine in one round, at most."""


class Purge:
    """The part that purges."""

    def __init__(
        self,
        keys: Keys,
        engines: Sequence[Upkeep],
        clock: Clock,
        instrument: Instrument,
        signals: Signals,
    ) -> None:
        self.background = Background("purge")
        self._keys = keys
        self._engines = engines
        self._clock = clock
        self._instrument = instrument
        self._signals = signals
        self._complete = self._destroyed = clock.now()
        self._keys_destroyed = instrument.counter("esclusa_hub_keys_destroyed_total", "Keys destroyed at their time")
        self._deleted = instrument.counter("esclusa_hub_purged_total", "Expired rows and messages deleted")
        instrument.gauge("esclusa_hub_purge_age_seconds", "Since the last complete purge", (), self._age)

    async def start(self) -> None:
        """Purge what expired while nobody was there, then every `EVERY` seconds."""
        self.background.spawn("keys", self._destroy_keys())
        self.background.spawn("rounds", self._rounds())

    async def drain(self) -> None:
        """What is half done is done at the next start."""

    async def stop(self) -> None:
        """Stop between two steps."""
        await self.background.cancel()

    async def _rounds(self) -> None:
        while True:
            try:
                if await self._round(self._clock.millis()):
                    self._complete = self._clock.now()
            except StorageError as error:
                self._instrument.warn("purge failed, again", error=str(error))
            late = self._clock.now() - min(self._complete, self._destroyed)
            if late >= LATE:
                self._instrument.warn("purge is late: expired data is still stored", seconds=round(late))
            await self._clock.sleep(EVERY)

    async def _destroy_keys(self) -> None:
        """By themselves: they must not wait for a sweep that has much to do."""
        while True:
            now = self._clock.millis()
            try:
                self._keys_destroyed.add(amount=await self._keys.destroy(now))
                self._destroyed = self._clock.now()
            except StorageError as error:
                self._instrument.warn("keys not destroyed, again", error=str(error))
            await self._clock.sleep(EVERY)

    async def _round(self, now: int) -> bool:
        """Whether nothing that expired before `now` is left."""
        left = 0
        for engine in self._engines:
            for _ in range(STEPS):
                swept = await engine.sweep(now)
                self._deleted.add(amount=swept.deleted)
                if not swept.left:
                    break
            left += swept.left
        self._signals.emit("purge.round", left=left)
        return not left

    def _age(self) -> Iterator[tuple[tuple[str, ...], float]]:
        yield (), self._clock.now() - min(self._complete, self._destroyed)

"""What every part is given: the machine's clock and randomness, who listens to what is said, and to signals."""

from __future__ import annotations

import gc

import msgspec

from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.signal import Signals


class Runtime(msgspec.Struct, frozen=True):
    """What every part is given."""

    clock: Clock
    ids: Ids
    instrument: Instrument
    signals: Signals

    @classmethod
    def real(cls, instrument: Instrument | None = None) -> Runtime:
        """The machine's clock and randomness; nobody listens to signals."""
        clock = Clock()
        return cls(clock, Ids(clock), instrument or Instrument(), Signals())


def freeze_memory() -> None:
    """Exempt what is in memory by now from garbage collection, and have that run seldom. To be called once all is started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)

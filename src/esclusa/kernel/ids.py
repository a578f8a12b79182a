"""Names for new things, and the one source of randomness.

A request's id is a UUIDv7 (RFC 9562): its first 48 bits are the time of its making, so neighbours in time are neighbours
on disk; its other 74 bits are random, so it can't be guessed.
"""

from __future__ import annotations

import os
import random
from uuid import UUID

from esclusa.kernel.clock import Clock


class Ids:
    """Makes ids, keys and jitter. Every part that needs any is given one; tests give one with a `seed`."""

    __slots__ = ("_clock", "_random", "_seeded")

    def __init__(self, clock: Clock, *, seed: int | None = None) -> None:
        self._clock = clock
        self._seeded = seed is not None
        self._random = random.Random(seed)  # noqa: S311 - for jitter and, in tests, for repeatable ids

    def uuid(self) -> UUID:
        """A new UUIDv7."""
        value = (self._clock.millis() & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(self.secret(10), "big")
        value = value & ~(0xF << 76) | 0x7 << 76
        value = value & ~(0x3 << 62) | 0x2 << 62
        return UUID(int=value)

    def secret(self, size: int) -> bytes:
        """`size` bytes that nobody can guess (from a seed: that everybody can)."""
        return self._random.randbytes(size) if self._seeded else os.urandom(size)

    def fraction(self) -> float:
        """Evenly spread over [0, 1): for jitter, never for secrets."""
        return self._random.random()

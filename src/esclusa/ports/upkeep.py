"""Administration of an engine: the start, `esclusa setup`, health, `status` and the purge use it, no capability's hot path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from esclusa.ports.log import Topic


class Lag(msgspec.Struct, frozen=True, rename="camel"):
    """How far a group is behind in a partition."""

    topic: str
    group: str
    partition: int
    committed: int
    end: int


class Swept(msgspec.Struct, frozen=True):
    """What one sweep did."""

    deleted: int
    """Expired rows, messages and tombstones deleted."""
    left: int
    """Expired ones that are still there: the sweep is bounded, so call it again."""


class Made(msgspec.Struct, frozen=True):
    """Something that has to be there."""

    what: str
    """In the engine's words: `topic requests.default`."""
    new: bool
    """Made, or added to, by this process: by this call, or before it at the engine's start. Else it was there."""


class Upkeep(Protocol):
    """What an engine offers beside its ports."""

    async def setup(self, topics: Sequence[Topic]) -> list[Made]:
        """Make what is absent, at every start; what is there afterwards. Where all of it is there no right to make it is needed.

        `StorageError` for a topic whose number of partitions can't become what is declared: fewer, or more while it holds
        messages; and, with the remedy, where something is absent that this program may not make.
        """

    async def check(self) -> None:
        """Write and read something; `StorageUnavailable` with the reason in words when that fails."""

    async def lag(self, topics: Sequence[Topic]) -> list[Lag]:
        """Every group of `topics`, partition by partition."""

    async def sweep(self, before: int) -> Swept:
        """Delete what expired before `before` (ms since the epoch), without long locks, a bounded amount a call."""

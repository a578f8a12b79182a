"""Administration of an engine: the start, health, `status` and the purge use it, no capability's hot path."""

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


class Upkeep(Protocol):
    """What an engine offers beside its ports."""

    async def setup(self, topics: Sequence[Topic]) -> None:
        """Make what is absent; called at every start where the engine needs no administrator.

        `StorageError` for a topic whose number of partitions can't become what is declared: fewer, or more while it holds
        messages.
        """

    async def check(self) -> None:
        """Write and read something; `StorageUnavailable` with the reason in words when that fails."""

    async def lag(self, topics: Sequence[Topic]) -> list[Lag]:
        """Every group of `topics`, partition by partition."""

    async def sweep(self, before: int) -> Swept:
        """Delete what expired before `before` (ms since the epoch), without long locks, a bounded amount a call."""

"""A request that is planned, and not made yet."""

from __future__ import annotations

from uuid import UUID

import msgspec

from esclusa.hub.stored import Times, UserQuestion


class Plan(msgspec.Struct, frozen=True):
    """A request that is going to be made, or made again: the same id, times, connectors and pools each time."""

    id: UUID
    times: Times
    connectors: list[str]
    pools: dict[str, list[str]]
    question: UserQuestion

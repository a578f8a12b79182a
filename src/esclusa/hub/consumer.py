"""Who reads a pool's requests in a process: one consumer for all its connectors, or each connector by itself (H21)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from esclusa.hub.settings import PoolSettings
from esclusa.hub.topics import PoolTopics

if TYPE_CHECKING:
    from esclusa.hub.stored import Envelope


class Consumer(msgspec.Struct, frozen=True):
    """A member of one consumer group of a pool's requests topic."""

    topics: PoolTopics
    connector: str | None = None
    """The connector that it reads for; None: every connector of the pool."""

    @property
    def group(self) -> str:
        """The group's name. Each has positions of its own."""
        return f"pool.{self.topics.pool}" if self.connector is None else f"connector.{self.connector}"

    def addressed(self, envelope: Envelope) -> Envelope | None:
        """`envelope` as far as it concerns this consumer; None: it doesn't."""
        if self.connector is None:
            return envelope
        if self.connector not in envelope.connectors:
            return None
        return msgspec.structs.replace(envelope, connectors=[self.connector])


def consumers(topics: PoolTopics, settings: PoolSettings, connectors: Iterable[str]) -> list[Consumer]:
    """The consumers of one pool whose connectors are called `connectors`."""
    if settings.consumers == "pool":
        return [Consumer(topics)]
    return [Consumer(topics, name) for name in connectors]

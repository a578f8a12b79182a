"""A partition of a pool's requests, for as long as this process has it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from esclusa.hub.positions import OwnedPartition

if TYPE_CHECKING:
    from esclusa.hub.recovery import Recovery
    from esclusa.hub.stored import Envelope
    from esclusa.ports.log import Assigned


class RequestPartition(OwnedPartition):
    """What is known of the partition, and what waits to be handed out."""

    def __init__(self, event: Assigned, given: int, recovery: Recovery) -> None:
        super().__init__(event)
        self.end = event.end
        """Where the partition ended when it was given: what stands below may have been answered by its former owner."""
        self.given = given
        """When it was given, in milliseconds since the epoch."""
        self.recovery = recovery
        self.forget_at: float | None = None
        """When what recovery has read is needed no more, in seconds since the epoch; None: nothing has been read."""
        self.backlog: deque[tuple[int, Envelope]] = deque()
        """Envelopes that may have been answered already, until that is known."""
        self.added = asyncio.Event()

"""One partition of a pool's requests, for as long as this process has it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from esclusa.hub.tracker import Tracker

if TYPE_CHECKING:
    from esclusa.hub.envelope import Envelope
    from esclusa.hub.recovery import Recovery
    from esclusa.ports.log import Assigned


class Share:
    """What is known of the partition, and what of it is not done with."""

    def __init__(self, event: Assigned, given: int, recovery: Recovery) -> None:
        self.partition = event.partition
        self.tracker = Tracker(event.committed)
        self.committed = event.committed
        self.end = event.end
        self.given = given
        """When it was given, in milliseconds since the epoch."""
        self.recovery = recovery
        self.backlog: deque[tuple[int, Envelope]] = deque()
        """Envelopes that may have been answered already, until that is known."""
        self.added = asyncio.Event()
        self.gone = False
        """Being taken away, or lost: nothing more of it is handed out."""

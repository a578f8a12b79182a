"""A partition of a pool's requests, for as long as this process has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esclusa.hub.positions import OwnedPartition

if TYPE_CHECKING:
    from esclusa.hub.backlog import Backlog
    from esclusa.ports.log import Assigned


class RequestPartition(OwnedPartition):
    """What is known of the partition, and what waits to be handed out."""

    backlog: Backlog

    def __init__(self, event: Assigned, given: int) -> None:
        super().__init__(event)
        self.end = event.end
        """Where the partition was said to end when it was given: what stands below may have been answered by a former owner."""
        self.given = given
        """Until when an envelope may be one that a former owner has seen: milliseconds since the epoch, skew included."""
        self.lost = False
        """It is another's already, or this process's again: nothing of this hold on it is committed or released."""

"""What a connector says of one question, and the ticket that whoever asked it holds meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from esclusa.connectors.backend import Reason


class Answer(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a connector says of one question."""

    reason: Reason | None = None
    """None: OK."""
    data: bytes | None = None
    """JSON; None for a KO, and when there is nothing about the subject."""
    detail: str = ""
    """Our words for what went wrong, fit for the user's eyes; when OK, for what is missing, and mostly empty."""
    attempts: int = 0
    elapsed: int = 0
    """Milliseconds: the call with its retries and the rests between them; 0 when none was made."""
    called: int = 0
    """When the first attempt began, in milliseconds since the epoch; 0: never."""
    answered: int
    """When it was given, in milliseconds since the epoch."""

    @classmethod
    def refused(cls, reason: Reason, detail: str, now: float) -> Answer:
        """A KO with no call made, given `now` (seconds since the epoch)."""
        return cls(reason=reason, detail=detail, answered=int(now * 1000))


Answered = Callable[[Answer], None]


class Ticket(Protocol):
    """A question that has been offered to a connector, for whoever offered it."""

    @property
    def waiting(self) -> bool:
        """It stands in the line: nothing has been called for it."""

    def drop(self) -> None:
        """Its answer is not wanted any more: `answered` is not called from here on.

        Out of the line at once; a call in flight is cut if that does no harm, else it ends as it would and its answer is
        thrown away. Does nothing once there is an answer.
        """

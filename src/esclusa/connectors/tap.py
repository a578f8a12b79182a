"""What can be seen of a call on its way: written down where somebody looks at one call, and nowhere else."""

from __future__ import annotations

from typing import Literal

import msgspec

from esclusa.kernel.clock import Clock

Kind = Literal["sent", "received", "failed", "transformed", "untransformed"]
"""`failed`: in place of an answer; `untransformed`: the transform did not take it. Both have words in place of a body."""


class Step(msgspec.Struct, frozen=True):
    """One thing that happened."""

    kind: Kind
    at: float
    """Seconds since the epoch."""
    head: str
    """What stands before the body: a request's or an answer's first line and fields, or what was called; in clear."""
    body: bytes = b""
    """As it was sent, as it came (decompressed), or JSON; in clear."""


class Tap:
    """Keeps what is seen of one call. Bodies, subjects and secrets are in it: it is for the eyes of who asked for it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.steps: list[Step] = []

    def saw(self, kind: Kind, head: str, body: bytes = b"") -> None:
        """It happened now."""
        self.steps.append(Step(kind, self._clock.now(), head, body))

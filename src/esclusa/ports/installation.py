"""What an engine stands on: looked at before anybody uses it, and told to who has to make it by hand.

`esclusa check --connect` and `esclusa setup --print` use it, no running process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from esclusa.ports.log import Topic

State = Literal["sound", "doubtful", "wrong"]


class Finding(msgspec.Struct, frozen=True):
    """What was found out about one part of it."""

    part: str
    """Which, in the engine's words: `brokers`, `topic requests.default`."""
    state: State
    """`doubtful`: it works as it is, and somebody should know of it; `wrong`: it doesn't, or what was accepted may be lost."""
    what: str
    """How it is, in words; never a secret."""
    remedy: str = ""
    """What to do about it; empty where it is sound."""


class Installation(Protocol):
    """What an engine stands on: its servers, or its folder. The engine need not have been started."""

    async def inspect(self, topics: Sequence[Topic]) -> list[Finding]:
        """Try every part of it, as far as each can be tried, and change nothing; at least one finding, in the order of the parts.

        `topics`: those that are used. It connects by itself, and what can't be reached or may not be looked at is a
        finding, not an error. Bounded in time.
        """

    def script(self, topics: Sequence[Topic]) -> str:
        """What an administrator has to run where this program may not make things itself; nothing where it needs nobody.

        It makes exactly what `Upkeep.setup` makes of `topics`, can be run again, and says who has to run it and how.
        `StorageError` where that depends on something that only the servers know; it says which setting would tell.
        """

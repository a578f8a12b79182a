"""What is asked or answered, as a tree: what all languages of schemas have in common."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["text", "number", "truth", "date", "time", "link", "table", "unknown"]

DEEPEST = 8
"""Levels of a schema that are looked at."""
MOST = 400
"""Parts of one tree."""


class Part(msgspec.Struct, frozen=True):
    """One thing in a question or an answer, with what is inside."""

    name: str
    """As it is written; empty for the whole."""
    kind: Kind = "unknown"
    """`table`: it has `parts`."""
    many: bool = False
    """A list, each item of which is of that kind."""
    required: bool = False
    """Whether a question has to have it."""
    parts: tuple[Part, ...] = ()
    """What it has inside, in order."""
    about: str = ""
    """What the description says of it."""
    always: str | bool | int | float | None = None
    """The only value that it can have, or what it is when nothing is said."""
    choices: tuple[str, ...] = ()
    """The values that it can have, where they are listed."""


def eased(parts: tuple[Part, ...], *, required: bool = True) -> tuple[Part, ...]:
    """The same, where what is inside of something that may be left out need not be there either."""
    return tuple(
        msgspec.structs.replace(part, required=needed, parts=eased(part.parts, required=needed))
        for part in parts
        for needed in [part.required and required]
    )


class Budget:
    """How many parts a tree may still have: schemas can refer to themselves, and to each other many times over."""

    def __init__(self, left: int = MOST) -> None:
        self._left = left

    @property
    def is_spent(self) -> bool:
        """There may be none any more."""
        return self._left <= 0

    def take(self) -> bool:
        """Whether there may be one more."""
        self._left -= 1
        return self._left >= 0

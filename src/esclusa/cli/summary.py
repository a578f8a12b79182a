"""A back end's data in one line, for a person to recognise them by."""

from __future__ import annotations

from typing import Any

import msgspec

from esclusa.cli.output import harmless

_LONGEST = 200
"""Characters: more than any terminal shows in a cell."""
_DEEPEST = 3
"""Levels that are looked into."""

NOTHING = "nothing"
"""The line of what is empty."""
_EMPTY: tuple[Any, ...] = (None, "", [], {})


def one_line(data: bytes | msgspec.Raw) -> str:
    """Some of `data`, which is JSON: an object's values, a list's first element and how many more there are."""
    try:
        value = msgspec.json.decode(data)
    except (RecursionError, msgspec.DecodeError):
        return "..."
    return harmless(_text(value, _DEEPEST))[:_LONGEST]


def _text(value: Any, depth: int) -> str:
    if value in _EMPTY:
        return NOTHING
    match value:
        case bool():
            return "yes" if value else "no"
        case list() | dict() if not depth:
            return "..."
        case [first, *others]:
            return _text(first, depth - 1) + (f" (and {len(others)} more)" if others else "")
        case dict():
            return ", ".join(_part(key, below, depth - 1) for key, below in value.items() if below not in _EMPTY)
        case _:
            return str(value)


def _part(key: str, value: Any, depth: int) -> str:
    """Text speaks for itself; a number needs its name."""
    return value if isinstance(value, str) else f"{key}: {_text(value, depth)}"

"""What an answer in text says: by its form, or by a function of the user's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import msgspec

from esclusa.connectors.named import function_named, is_name
from esclusa.connectors.transform import written

Read = Callable[[str], bytes | None]
"""From the text to JSON; None: it says that there is nothing. Raises anything."""
_PLACE = re.compile(r"\{\{|\}\}|\{([A-Za-z_]\w*)\}|[{}]")
_encode = msgspec.json.Encoder().encode


class Form:
    """A text with `{name}` where anything may stand; `{{` and `}}` are braces.

    No regular expression, because an answer is a stranger's: each piece between two places is looked for once, from where
    the last one ended, so that the time it takes grows with the answer and no faster.
    """

    def __init__(self, text: str) -> None:
        """`ValueError`, in words, for a brace with no partner, for places with nothing between them, for a name used twice."""
        self._pieces, self._names, end = [""], list[str](), 0
        for match in _PLACE.finditer(text):
            self._pieces[-1] += text[end : match.start()]
            end = match.end()
            found = match[0]
            if found in ("{", "}"):
                raise ValueError(f"the {found} at character {match.start() + 1} has no partner: write {found * 2} for a brace")
            if found in ("{{", "}}"):
                self._pieces[-1] += found[0]
                continue
            if match[1] in self._names:
                raise ValueError(f"{found} stands there twice")
            if self._names and not self._pieces[-1]:
                raise ValueError(f"nothing stands before {found} that tells where it begins")
            self._names.append(match[1])
            self._pieces.append("")
        self._pieces[-1] += text[end:]

    def read(self, text: str) -> dict[str, str] | None:
        """What stands in each place; None: it has another form."""
        first, *others = self._pieces
        if not text.startswith(first):
            return None
        if not others:
            return {} if text == first else None
        values, begin = [], len(first)
        for piece in others[:-1]:
            end = text.find(piece, begin)
            if end < 0:
                return None
            values.append(text[begin:end])
            begin = end + len(piece)
        last = len(text) - len(others[-1])
        if last < begin or not text.endswith(others[-1]):
            return None
        return dict(zip(self._names, [*values, text[begin:last]], strict=True))


class Answers:
    """Reads the answers of one connector."""

    def __init__(self, answer: str | None, empty: Iterable[str]) -> None:
        """`ValueError`, in words, for a form that is none."""
        self._read = _read(answer)
        self._empty = [Form(text) for text in empty]

    def data(self, text: str) -> bytes | None:
        """JSON; None: it says that there is nothing. Raises anything for what has another form."""
        return None if any(empty.read(text) is not None for empty in self._empty) else self._read(text)


def _read(answer: str | None) -> Read:
    if answer is None:
        return _encode
    if is_name(answer):
        return partial(_said, function_named(answer))
    form = Form(answer)

    def members(text: str) -> bytes:
        found = form.read(text)
        if found is None:
            raise ValueError("it has another form")
        return _encode(found)

    return members


def _said(function: Callable[[str], Any], text: str) -> bytes | None:
    said = function(text)
    return None if said is None else written(said)

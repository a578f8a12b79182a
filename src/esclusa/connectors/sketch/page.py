"""A text of TOML (https://toml.io/en/v1.0.0) with comments. Nothing that is put into it can leave its string or comment."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

_WIDTH = 120
_LONGEST = 300
"""Characters of one foreign text in a comment."""
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_HIDDEN = {"Cc", "Cf", "Zl", "Zp", "Co", "Cn"}
"""Categories of Unicode that can't be seen, or move what stands beside them."""


class Page:
    """Collects lines, from the first to the last."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def text(self) -> str:
        """All of it, with a line end at its end."""
        return "\n".join(self._lines).strip("\n") + "\n"

    def blank(self) -> None:
        """An empty line."""
        self._lines.append("")

    def remark(self, text: str) -> None:
        """A comment, over as many lines as it takes."""
        self._lines += [f"# {line}" for line in textwrap.wrap(visible(text), _WIDTH)]

    def line(self, text: str) -> None:
        """A comment in one line, with the spaces that it has."""
        self._lines.append(f"# {visible(text, squeezed=False)}")

    def table(self, *path: str, off: bool = False) -> None:
        """The head of a table; `off`: in a comment, to be taken away with a "# "."""
        self._put(f"[{'.'.join(key(name) for name in path)}]", None, off=off)

    def entry(self, name: str, value: Any, why: str | None = None, *, off: bool = False) -> None:
        """A key with its value, and why it has that; `off`: as for a table."""
        self._put(f"{key(name)} = {literal(value)}", why, off=off)

    def _put(self, code: str, why: str | None, *, off: bool) -> None:
        comment = f"   # {visible(why)}" if why else ""
        self._lines.append(f"{'# ' if off else ''}{code}{comment}")


def visible(text: str, *, squeezed: bool = True) -> str:
    """`text` in one line that hides nothing and is not too long, for a comment."""
    shown = "".join(" " if _is_hidden(char) else char for char in text[: _LONGEST * 4])
    if squeezed:
        shown = " ".join(shown.split())
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in _HIDDEN or "\ud800" <= char <= "\udfff"


def key(name: str) -> str:
    """A key as it is written: bare where it can be."""
    return name if _BARE.fullmatch(name) else _quoted(name)


def literal(value: Any) -> str:
    """A text, a truth, a number, a list or a table as it is written, in one line."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key(name)} = {literal(each)}" for name, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, Sequence):
        return f"[{', '.join(map(literal, value))}]"
    return str(value)


def _quoted(text: str) -> str:
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if "\ud800" <= char <= "\udfff":
        return "�"  # half of a character: no text has it
    if char != " " and _is_hidden(char):
        return f"\\u{ord(char):04X}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08X}"  # noqa: PLR2004 - what four digits hold
    return char


def as_text(text: str) -> str:
    """What the configuration reads as `text`: no variable begins in it."""
    return text.replace("$", "$$")


def as_template(text: str) -> str:
    """What a template of the configuration reads as `text`: neither a variable nor a placeholder is in it."""
    return as_text(text).replace("{", "{{").replace("}", "}}")

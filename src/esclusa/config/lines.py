"""Where things stand in a TOML text: tomllib gives the values and keeps the lines to itself.

The scanner reads a text that tomllib has accepted, so it checks nothing: it follows keys, headers, strings and brackets,
and notes the line of each key and of each element of a list.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

Key = tuple[str | int, ...]
"""The way to a value from the top: names of tables and keys, and positions in lists."""

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_INLINE_BLANK = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED_KEY = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'')
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'  # up to two quotes may stand before the closing three
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\r\n]+")


def positions(text: str) -> dict[Key, int]:
    """The line, from 1, of every table, key and list element of `text`, a valid TOML document.

    A table stands where its header is, or else where it is first named; a key where it is written; an element where it
    begins. The keys are those of `tomllib.loads(text)`, level by level.
    """
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._starts = [match.end() for match in re.finditer("\n", text)]
        self._lines: dict[Key, int] = {}
        self._lists: dict[Key, int] = {}  # arrays of tables: how many tables each has so far

    def scan(self) -> dict[Key, int]:
        table: Key = ()
        self._blank()
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._blank()
        return self._lines

    def _header(self) -> Key:
        line = self._line()
        several = self._text.startswith("[[", self._at)
        self._at += 2 if several else 1
        names = self._names()
        self._at += 2 if several else 1
        table: Key = ()
        for depth, name in enumerate(names, start=1):
            table = (*table, name)
            last = depth == len(names)
            if last and several:
                self._lists[table] = self._lists.get(table, 0) + 1
            if last and not several:
                self._lines[table] = line  # rather than where a table below it was named
            else:
                self._lines.setdefault(table, line)
            if table in self._lists:
                table = (*table, self._lists[table] - 1)
                self._lines.setdefault(table, line)
        return table

    def _pair(self, table: Key) -> None:
        line = self._line()
        for name in self._names():
            table = (*table, name)
            self._lines.setdefault(table, line)
        self._at += 1  # the equals sign
        self._match(_INLINE_BLANK)
        self._value(table)

    def _names(self) -> list[str]:
        """A dotted key; leaves the position on what follows it."""
        names = []
        while True:
            self._match(_INLINE_BLANK)
            quoted = self._text[self._at] in "\"'"
            name = self._match(_QUOTED_KEY if quoted else _BARE_KEY)
            names.append(str(tomllib.loads(f"name = {name}")["name"]) if quoted else name)
            self._match(_INLINE_BLANK)
            if self._text[self._at] != ".":
                return names
            self._at += 1

    def _value(self, key: Key) -> None:
        match self._text[self._at]:
            case '"' | "'":
                self._match(_STRING)
            case "[":
                self._list(key)
            case "{":
                self._inline_table(key)
            case _:
                self._match(_SCALAR)

    def _list(self, key: Key) -> None:
        self._at += 1
        self._blank()
        count = 0
        while self._text[self._at] != "]":
            element = (*key, count)
            self._lines[element] = self._line()
            self._value(element)
            count += 1
            self._comma()
        self._at += 1

    def _inline_table(self, key: Key) -> None:
        self._at += 1
        self._blank()
        while self._text[self._at] != "}":
            self._pair(key)
            self._comma()
        self._at += 1

    def _comma(self) -> None:
        self._blank()
        if self._text[self._at] == ",":
            self._at += 1
            self._blank()

    def _blank(self) -> None:
        self._match(_BLANK)

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:  # pragma: no cover - tomllib has accepted the text
            raise ValueError(f"not TOML at line {self._line()}")
        self._at = found.end()
        return found.group()

    def _line(self) -> int:
        return bisect_right(self._starts, self._at) + 1

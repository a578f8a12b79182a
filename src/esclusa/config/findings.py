"""What is wrong with a configuration, gathered until everything has been looked at."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import msgspec

from esclusa.kernel.errors import Mistake


class Place(msgspec.Struct, frozen=True):
    """Where something is written."""

    file: str
    line: int


class Findings:
    """Mistakes, each noted once however often it is found."""

    def __init__(self) -> None:
        self._found: dict[Mistake, None] = {}
        self._files: dict[str, int] = {}

    def copy(self) -> Findings:
        """One that has what this has found so far, and goes its own way."""
        other = Findings()
        other._found, other._files = dict(self._found), dict(self._files)
        return other

    def reading(self, file: str) -> None:
        """`file` is being read: mistakes in it come after those of the files before it."""
        self._files.setdefault(file, len(self._files))

    def add(self, place: Place, what: str) -> None:
        """`what`: what is wrong and the remedy, without the value of a secret; it becomes one line."""
        self._found[Mistake(place.file, place.line, " ".join(what.splitlines()))] = None

    def mistakes(self) -> list[Mistake]:
        """All of them, in the order of the files and of their lines."""
        return sorted(self._found, key=lambda mistake: (self._files[mistake.file], mistake.line))


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean "timeout"?`, or, with nothing like `word`, what there is: the end of a mistake's sentence."""
    names = list(known)
    by_folded = {name.casefold(): name for name in names}
    close = get_close_matches(word.casefold(), by_folded, n=1)
    if close:
        return f'did you mean "{by_folded[close[0]]}"?'
    if not names:
        return "none is declared"
    return "there is " + ", ".join(f'"{name}"' for name in names)

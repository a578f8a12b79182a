"""A configuration as it is written: values with the places where they stand.

Everything that looks for mistakes walks this tree, so whatever is laid over or filled in keeps the line of its origin.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from esclusa.config.findings import Place
from esclusa.config.lines import Key, positions


class Node(msgspec.Struct, frozen=True):
    """A value and its place."""

    place: Place
    value: Any
    """A `dict[str, Node]`, a `list[Node]`, or what tomllib makes of anything else."""
    written: str | None = None
    """A string as it stands in the file, where a variable of the environment has been filled in since."""
    taken: Mapping[str, str] = {}
    """The variables whose values are in it."""
    unknown: bool = False
    """A string with a variable that isn't set: nobody knows its value, so nobody judges it."""

    def find(self, *path: str | int) -> Node | None:
        """What is written at `path` below, right or wrong."""
        node = self
        for step in path:
            below: Any = dict(enumerate(node.value)) if isinstance(node.value, list) else node.value
            if not isinstance(below, dict) or step not in below:
                return None
            node = below[step]
        return node

    def table(self, *path: str) -> dict[str, Node]:
        """The table at `path`; empty where there is none."""
        found = self.find(*path)
        return found.value if found is not None and isinstance(found.value, dict) else {}

    def where(self, *path: str | int) -> Place:
        """The place of what is at `path`, or of the nearest to it that is written: where to point to what is absent."""
        for length in range(len(path), 0, -1):
            found = self.find(*path[:length])
            if found is not None:
                return found.place
        return self.place

    def strings(self) -> Iterator[Node]:
        """Every string in it."""
        if isinstance(self.value, str):
            yield self
        elif isinstance(self.value, dict | list):
            for below in self.value.values() if isinstance(self.value, dict) else self.value:
                yield from below.strings()

    def shown(self) -> str:
        """The value in a few words for a mistake: as it is written, never what the environment has put in."""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, str):
            written = self.value if self.written is None else self.written
            return '"' + (written if len(written) <= SHOWN else written[: SHOWN - 3] + "...") + '"'
        if isinstance(self.value, dict):
            return "a table"
        if isinstance(self.value, list):
            return "a list"
        return str(self.value)


SHOWN = 60
"""Characters of a value that a mistake shows."""


def parse(text: str, file: str) -> Node:
    """The tree of `text`; `tomllib.TOMLDecodeError` when it is not TOML."""
    return _node((), tomllib.loads(text), positions(text), file, 1)


def _node(key: Key, value: Any, lines: dict[Key, int], file: str, above: int) -> Node:
    line = lines.get(key, above)
    if isinstance(value, dict):
        value = {name: _node((*key, name), below, lines, file, line) for name, below in value.items()}
    elif isinstance(value, list):
        value = [_node((*key, place), below, lines, file, line) for place, below in enumerate(value)]
    return Node(Place(file, line), value)


def overlay(base: Node, over: Node) -> Node:
    """`base` with `over` laid over it: tables are joined, key by key; of anything else the upper one counts."""
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    joined = dict(base.value)
    for name, upper in over.value.items():
        joined[name] = overlay(joined[name], upper) if name in joined else upper
    return Node(base.place, joined)

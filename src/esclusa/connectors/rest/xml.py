"""XML as what JSON has, parsed within bounds: no document type, and so no entity but the five that XML has; depth and size.

The parser is Python's own (expat), which fetches nothing. `soap` has one of its own: it needs a tree with namespaces.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from xml.parsers import expat

DEEPEST = 100
"""Elements in each other that a document may have."""
MOST = 200_000
"""Elements and attributes that a document may have: each takes many times the memory of its text."""

_DECLARATION = "xmlns"
"""The attribute, or the prefix of those, that declares a namespace."""


def plain(document: bytes, charset: str | None, lists: Collection[str] = ()) -> dict[str, Any]:
    """The root of `document` by its name. `ValueError` for what is no XML, or is beyond the bounds.

    An element is a table: its attributes as `@NAME`, its children by their names, of those with the same name a list in
    their order, and its text, if there is any but white space around it, as `#text`. One with neither attributes nor
    children is its text alone. Namespaces and their prefixes are left out; so are comments and processing instructions.
    Children named in `lists` are a list also when there is one.

    `charset`: what its sender says, which counts more than what it says itself (RFC 7303).
    """
    parser = expat.ParserCreate(charset)  # not told to look for namespaces: it would write a long one out for each short prefix
    tree = _Tree(frozenset(lists))
    parser.buffer_text = True
    parser.ordered_attributes = True
    parser.StartDoctypeDeclHandler = tree.refuse
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.text
    try:
        parser.Parse(document, True)  # noqa: FBT003 - expat's own way to say that this is all
    except expat.ExpatError as error:
        raise ValueError("this is no XML") from error
    return tree.root


class _Tree:
    """Makes tables of what the parser comes upon."""

    def __init__(self, lists: Collection[str]) -> None:
        self.root: dict[str, Any] = {}
        self._lists = lists
        self._open: list[tuple[str, dict[str, Any], list[str]]] = []
        """The name of each element that is open, what it has so far, and its text."""
        self._met = 0

    def refuse(self, *_: object) -> None:
        raise ValueError("it has a document type")

    def start(self, name: str, attributes: list[str]) -> None:
        self._met += 1 + len(attributes) // 2
        if self._met > MOST or len(self._open) >= DEEPEST:
            raise ValueError("it has too many elements, or they are too deep in each other")
        pairs = zip(attributes[::2], attributes[1::2], strict=True)
        table = {f"@{_local(key)}": value for key, value in pairs if key.partition(":")[0] != _DECLARATION}
        self._open.append((_local(name), table, []))

    def text(self, text: str) -> None:
        self._open[-1][2].append(text)

    def end(self, _: str) -> None:
        name, table, pieces = self._open.pop()
        text = "".join(pieces).strip()
        if table and text:
            table["#text"] = text
        parent = self._open[-1][1] if self._open else self.root
        value = table or text
        if name not in parent:
            parent[name] = [value] if name in self._lists else value
        elif isinstance(parent[name], list):
            parent[name].append(value)
        else:
            parent[name] = [parent[name], value]


def _local(name: str) -> str:
    return name.rpartition(":")[2]

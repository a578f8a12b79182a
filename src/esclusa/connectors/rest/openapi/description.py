"""An OpenAPI description: its operations, and what its references lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import msgspec

from esclusa.connectors.rest.openapi.tree import listed, parsed, table, text
from esclusa.connectors.sketch.offer import Offer, choices

METHODS = ("get", "post", "put", "head")
"""Those that a connector can have."""
_OTHERS = ("delete", "patch", "options", "trace")
_HOPS = 32
"""References that lead to references."""
_PLACE = re.compile(r"[0-9]{1,6}")
_REMEDY = "turn it into OpenAPI 3 first (swagger2openapi and converter.swagger.io do)"


class Operation(msgspec.Struct, frozen=True):
    """One operation, with what it has from its path."""

    offer: Offer
    method: str
    """In capitals."""
    path: str
    node: dict[str, Any]
    """Itself."""
    around: dict[str, Any]
    """Its path's."""


class OpenApi:
    """A description of version 3.0 or 3.1. `ValueError` in words for what is none."""

    def __init__(self, document: bytes, place: str) -> None:
        """`place`: where it came from: a path or a URL."""
        self.place = place
        self.root: Any = parsed(document, place)
        if text(self.root, "swagger"):
            raise ValueError(f"{place} is Swagger {text(self.root, 'swagger')[:10]}, which is older than OpenAPI: {_REMEDY}")
        version = text(self.root, "openapi")
        if not re.match(r"3\.[012](\.|$)", version):
            found = f"OpenAPI {version[:20]!r}, which is not known here" if version else "no OpenAPI description"
            raise ValueError(f"{place} is {found}: one of 3.0 or 3.1 is needed")
        self.title = text(table(self.root, "info"), "title").strip()
        self.version = text(table(self.root, "info"), "version").strip()
        self.operations = list(self._operations())
        if not self.operations:
            raise ValueError(f"{place} describes no operation that a connector can ask: GET, POST, PUT or HEAD")

    def chosen(self, operation: str) -> Operation:
        """The operation of that name, or of that method and path. `ValueError`, with what there is."""
        for each in self.operations:
            if operation in (each.offer.operation, each.offer.call):
                return each
        method = next((each for each in _OTHERS if self._has(each, operation)), None)
        if method is not None:
            raise ValueError(f"{operation} is a {method.upper()}: a connector asks by GET, POST, PUT or HEAD")
        raise ValueError(f"there is no operation {operation}: choose {choices([each.offer for each in self.operations])}")

    def _has(self, method: str, operation: str) -> bool:
        """Whether an operation by `method`, which is none for a connector, is the one that is meant."""
        nodes = {path: table(self.at(node), method) for path, node in table(self.root, "paths").items()}
        return any(
            node and operation in (text(node, "operationId"), f"{method.upper()} {path}") for path, node in nodes.items()
        )

    def at(self, node: Any) -> dict[str, Any]:
        """The table that `node` is, or that its reference leads to; an empty one where that is not in this document."""
        for _ in range(_HOPS):
            if not isinstance(node, dict):
                return {}
            reference = node.get("$ref")
            if not isinstance(reference, str):
                return node
            node = self._found(reference)
        return {}

    def _found(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            return None
        node = self.root
        for step in reference[2:].split("/"):
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict):
                node = node.get(name)
            elif isinstance(node, list) and _PLACE.fullmatch(name) and int(name) < len(node):
                node = node[int(name)]
            else:
                return None
        return node

    def _operations(self) -> Iterator[Operation]:
        named: set[str] = set()
        for path, below in table(self.root, "paths").items():
            around = self.at(below)
            for method in METHODS:
                node = table(around, method)
                if not node:
                    continue
                call = f"{method.upper()} {path}"
                name = text(node, "operationId") or call
                if name in named:
                    name = call
                named.add(name)
                about = text(node, "summary") or text(node, "description")
                yield Operation(Offer(name, call, about), method.upper(), path, node, around)

    def parameters(self, operation: Operation) -> list[dict[str, Any]]:
        """What an operation takes, its own in place of its path's of the same name."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for each in [*listed(operation.around, "parameters"), *listed(operation.node, "parameters")]:
            node = self.at(each)
            name, place = text(node, "name"), text(node, "in")
            if name and place:
                found[place, name] = node
        return list(found.values())

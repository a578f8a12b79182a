"""Where an operation is: the address of its server with its path, whose parameters become placeholders."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from esclusa.connectors.rest.openapi.description import OpenApi, Operation
from esclusa.connectors.rest.openapi.security import REPLACE
from esclusa.connectors.rest.openapi.tree import listed, table, text
from esclusa.connectors.sketch.page import as_text
from esclusa.connectors.sketch.part import Part
from esclusa.connectors.sketch.question import Asked
from esclusa.connectors.target import Target

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_MOST = 20
"""Servers that are mentioned."""


def servers_of(description: OpenApi, operation: Operation) -> list[str]:
    """The addresses at which the operation is, those that can be called; variables in them have their defaults."""
    for node in (operation.node, operation.around, description.root):
        found = [_address(description, server) for server in listed(node, "servers")[:_MOST]]
        usable = [each for each in found if each and _can_be_called(each)]
        if found:
            return usable
    beside = urljoin(description.place, "/")
    return [beside] if _can_be_called(beside) else []


def path_names(operation: Operation) -> list[str]:
    """What the path of an operation has to be filled with."""
    return _PLACEHOLDER.findall(operation.path)


def url_of(server: str, operation: Operation, in_path: dict[str, Part], asked: Asked) -> tuple[str, list[str]]:
    """The template of the address at `server`, and what there is to say of its placeholders. `in_path` has all of `path_names`."""
    said = []
    pieces = []
    end = 0
    for found in _PLACEHOLDER.finditer(operation.path):
        pieces.append(_literal(operation.path[end : found.start()]))
        end = found.end()
        value, why = asked.text(in_path[found[1]])
        pieces.append(value)
        said.append(f"{found[1]}: {why}")
    path = "".join([*pieces, _literal(operation.path[end:])])
    return as_text(server.rstrip("/")) + path, said


def _address(description: OpenApi, server: Any) -> str:
    variables = table(server, "variables")
    whole = _PLACEHOLDER.sub(lambda found: text(variables.get(found[1]), "default"), text(server, "url"))
    try:
        parts = urlsplit(urljoin(description.place, whole))
    except ValueError:
        return ""
    if not parts.scheme and parts.path.startswith("/"):  # of a description that came from a file
        return f"{REPLACE}{_quoted(parts.path)}"
    return f"{parts.scheme}://{parts.netloc}{_quoted(parts.path)}" if parts.scheme in ("http", "https") else ""


def _can_be_called(address: str) -> bool:
    try:
        Target(address, {})
    except ValueError:
        return False
    return address != REPLACE


def _quoted(path: str) -> str:
    return quote(path, safe="/%:@!$&'()*+,;=~", errors="replace")


def _literal(path: str) -> str:
    return as_text(_quoted(path))

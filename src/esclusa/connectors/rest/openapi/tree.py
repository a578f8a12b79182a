"""A document of JSON or YAML as tables, lists, texts, numbers and truths, and safe looks into it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import msgspec


def parsed(document: bytes, place: str) -> Any:
    """`document`, which came from `place`. `ValueError` in words when it is neither JSON nor YAML."""
    try:
        return msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError) as error:
        if document.lstrip()[:1] in (b"{", b"["):
            raise ValueError(f"{place} is no JSON that can be read: {error}") from None
    if find_spec("yaml") is None:
        raise ValueError(f'{place} is no JSON, and YAML is not installed: pip install "esclusa[yaml]"')
    from esclusa.connectors.rest.openapi.yaml import composed  # noqa: PLC0415 - its package is an extra

    try:
        return composed(document)
    except ValueError as error:
        raise ValueError(f"{place} is neither JSON nor YAML that can be read: {error}") from None


def table(node: Any, name: str) -> dict[str, Any]:
    """The table `name` in `node`; an empty one when there is none."""
    found = node.get(name) if isinstance(node, dict) else None
    return found if isinstance(found, dict) else {}


def listed(node: Any, name: str) -> list[Any]:
    """The list `name` in `node`; an empty one when there is none."""
    found = node.get(name) if isinstance(node, dict) else None
    return found if isinstance(found, list) else []


def text(node: Any, name: str) -> str:
    """The text `name` in `node`; an empty one when there is none."""
    found = node.get(name) if isinstance(node, dict) else None
    return found if isinstance(found, str) else ""

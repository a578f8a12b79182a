"""A JSON Schema as a tree of parts: as much of it as tells what a thing is called and what it is."""

from __future__ import annotations

from typing import Any

from esclusa.connectors.rest.openapi.description import OpenApi
from esclusa.connectors.rest.openapi.tree import listed, table, text
from esclusa.connectors.sketch.part import DEEPEST, Budget, Kind, Part

_FORMATS: dict[str, Kind] = {"date": "date", "date-time": "time", "uri": "link", "url": "link", "uri-reference": "link"}
_TYPES: dict[str, Kind] = {"string": "text", "integer": "number", "number": "number", "boolean": "truth"}
_MERGED = 20
"""Schemas that are joined into one."""


def part_of(description: OpenApi, name: str, schema: Any, *, required: bool = False, about: str = "") -> Part:
    """What a value of `schema` is. A schema that is inside itself ends there."""
    return _part(description, name, schema, Budget(), (), required=required, about=about)


def _part(
    description: OpenApi,
    name: str,
    schema: Any,
    budget: Budget,
    above: tuple[int, ...],
    *,
    required: bool = False,
    about: str = "",
) -> Part:
    origin = id(description.at(schema))
    if origin in above or len(above) >= DEEPEST or not budget.take():
        return Part(name, required=required, about=about)
    node = _joined(description, schema)
    said = about or text(node, "description") or text(node, "title")
    inside = (*above, origin)
    kind = _type(node)
    if kind == "array" or (not kind and "items" in node):
        item = _part(description, name, node.get("items"), budget, inside, required=required, about=said)
        if item.many:  # a list of lists: what it has inside is nobody's guess
            return Part(name, many=True, required=required, about=said)
        return Part(name, item.kind, True, required, item.parts, said, choices=item.choices)  # noqa: FBT003 - as declared
    if kind == "object" or table(node, "properties"):
        needed = {each for each in listed(node, "required") if isinstance(each, str)}
        parts = [
            _part(description, key, below, budget, inside, required=key in needed)
            for key, below in table(node, "properties").items()
            if key and isinstance(below, dict) and not budget.is_spent
        ]
        return Part(name, "table", required=required, parts=tuple(parts), about=said)
    choices = [each for each in listed(node, "enum") if isinstance(each, str | bool | int | float)]
    always = node.get("const", node.get("default", choices[0] if len(choices) == 1 else None))
    return Part(
        name,
        _FORMATS.get(text(node, "format"), _TYPES.get(kind, "unknown")) if kind == "string" else _TYPES.get(kind, "unknown"),
        required=required,
        about=said,
        always=always if isinstance(always, str | bool | int | float) else None,
        choices=tuple(str(each) for each in choices),
    )


def _type(node: dict[str, Any]) -> str:
    """Its type; of several, as 3.1 has it, the first that is one of a value."""
    found = node.get("type")
    several = found if isinstance(found, list) else [found]
    return next((each for each in several if isinstance(each, str) and each != "null"), "")


def _joined(description: OpenApi, schema: Any) -> dict[str, Any]:
    """`schema` with all of `allOf`, and with the first of the alternatives that is something."""
    joined: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    required: list[Any] = []
    waiting, seen = [schema], set[int]()
    while waiting and len(seen) < _MERGED:
        node = description.at(waiting.pop(0))
        if not node or id(node) in seen:
            continue
        seen.add(id(node))
        joined = {**node, **joined}
        properties = {**properties, **table(node, "properties")}
        required += listed(node, "required")
        alternatives = [*listed(node, "oneOf"), *listed(node, "anyOf")]
        real = [each for each in alternatives if _type(description.at(each)) or len(description.at(each)) > 1]
        waiting += [*listed(node, "allOf"), *real[:1]]
    return {**joined, "properties": properties, "required": required}

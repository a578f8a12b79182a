"""JSON Schema as a tree of parts, with an end whatever it refers to."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from esclusa.connectors.rest.openapi.description import OpenApi
from esclusa.connectors.rest.openapi.schema import part_of
from esclusa.connectors.sketch.part import MOST, Part


def part(schema: Any, **schemas: Any) -> Part:
    whole = {"openapi": "3.1.0", "paths": {"/a": {"get": {"x": 1}}}, "components": {"schemas": schemas}}
    description = OpenApi(msgspec.json.encode(whole), "x")
    return part_of(description, "p", schema)


def size(tree: Part) -> int:
    return 1 + sum(map(size, tree.parts))


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, Part("p", "text")),
        ({"type": ["null", "integer"]}, Part("p", "number")),
        ({"type": "string", "format": "date-time"}, Part("p", "time")),
        ({"type": "boolean", "default": False}, Part("p", "truth", always=False)),
        ({"const": "a"}, Part("p", always="a")),
        ({"type": "string", "enum": ["a", "b", None]}, Part("p", "text", choices=("a", "b"))),
        ({"type": "string", "title": "T"}, Part("p", "text", about="T")),
        ({"type": "array", "items": {"type": "number"}}, Part("p", "number", many=True)),
        ({"type": "array", "items": {"type": "array", "items": {"type": "number"}}}, Part("p", many=True)),
        ({"anyOf": [{"type": "null"}, {"type": "string", "format": "uri"}]}, Part("p", "link")),
        (
            {
                "allOf": [
                    {"properties": {"a": {"type": "string"}}},
                    {"required": ["b"], "properties": {"b": {"type": "number"}}},
                ]
            },
            Part("p", "table", parts=(Part("a", "text"), Part("b", "number", required=True))),
        ),
        (True, Part("p")),
        (None, Part("p")),
        ({"type": 7, "properties": [], "enum": "x", "allOf": {}, "required": [[]]}, Part("p")),
    ],
)
def test_a_schema_becomes_a_part(schema: Any, expected: Part) -> None:
    assert part(schema) == expected


def test_a_schema_that_is_inside_itself_ends_there() -> None:
    node = {"type": "object", "properties": {"name": {"type": "string"}, "next": {"$ref": "#/components/schemas/Node"}}}
    found = part({"$ref": "#/components/schemas/Node"}, Node=node)
    assert found.parts == (Part("name", "text"), Part("next"))
    assert part({"$ref": "#/components/schemas/A"}, A={"allOf": [{"$ref": "#/components/schemas/A"}]}) == Part("p")


def test_schemas_that_multiply_each_other_are_cut() -> None:
    schemas = {
        f"S{n}": {"type": "object", "properties": {f"p{m}": {"$ref": f"#/components/schemas/S{n + 1}"} for m in range(10)}}
        for n in range(7)
    }
    assert size(part({"$ref": "#/components/schemas/S0"}, **schemas)) < MOST * 11

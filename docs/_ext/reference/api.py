"""The page of the HTTP API, from the OpenAPI document."""

from __future__ import annotations

import re
from importlib import metadata
from typing import Any

import msgspec

from esclusa.edges.http import operations
from esclusa.edges.http.openapi import Operation, document
from esclusa.edges.http.problems import MEDIA_TYPE
from reference.markdown import code, joined, listed, row

API = """# HTTP API

JSON in camelCase; times as RFC 3339 in UTC with milliseconds; errors as [problems](errors.md). A running process serves the
same, as OpenAPI 3.1 at `/openapi.json` and to be browsed at `/docs`."""


def api_page() -> str:
    """Every operation, and the shapes of bodies, from the OpenAPI document."""
    described = openapi()
    parts = [API]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            parts += _operation(f"{method.upper()} {path}", operation)
    parts.append("## Shapes")
    for name, schema in described["components"]["schemas"].items():
        always = schema.get("required", ())
        rows = [
            row(code([key]), _shape(value), "yes" if key in always else "", value.get("description", ""))
            for key, value in schema.get("properties", {}).items()
        ]
        parts += [f"### `{name}`", schema.get("description", ""), listed("Key", "What it is", "Always", "", rows=rows)]
    return joined(*parts)


def openapi() -> dict[str, Any]:
    """The OpenAPI document as it is served."""
    described = [each for each in vars(operations).values() if isinstance(each, Operation)]
    served: dict[str, Any] = msgspec.json.decode(document(described, version=metadata.version("esclusa")))
    return served


def _operation(title: str, operation: dict[str, Any]) -> list[str]:
    parts = [f"## `{title}`", f"{operation['summary']}.", operation.get("description", "")]
    said = [row(code([each["name"]]), each["in"], each["description"]) for each in operation["parameters"]]
    parts.append(listed("Parameter", "Where", "", rows=said))
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        parts.append(f"Body: {_shape(content['schema'])}, as `{media}`.")
        if content.get("example") is not None:
            parts.append(f"```json\n{msgspec.json.format(msgspec.json.encode(content['example'])).decode()}\n```")
    replies, refusals = [], []
    for status, reply in operation["responses"].items():
        if MEDIA_TYPE in reply.get("content", ()):
            refusals += [
                f"[{status} `{name}`](errors.md)" for name in re.findall(r"^`([a-z-]+)`:", reply["description"], re.MULTILINE)
            ]
        else:
            replies.append(row(status, reply["description"], _contents(reply)))
    return [
        *parts,
        listed("Status", "What it says", "Body", rows=replies),
        f"Refused with {', '.join(refusals)}." if refusals else "",
    ]


def _contents(reply: dict[str, Any]) -> str:
    return ", ".join(f"{_shape(content['schema'])} (`{media}`)" for media, content in reply.get("content", {}).items())


def _shape(schema: dict[str, Any]) -> str:  # noqa: PLR0911 - a case a kind of schema
    """What a value by `schema` is, in words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[`{name}`](#{name.lower()})"
    if "anyOf" in schema or "oneOf" in schema:
        return " or ".join(_shape(each) for each in schema.get("anyOf") or schema["oneOf"])
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum") or [schema["const"]])
    match schema.get("type"):
        case "array":
            return f"list of {_shape(schema.get('items', {}))}"
        case "object" if isinstance(below := schema.get("additionalProperties"), dict):
            return f"object of {_shape(below)}"
        case None:
            return "any JSON"
        case str(kind):
            return f"{kind} ({schema['format']})" if "format" in schema else kind
        case kinds:
            return " or ".join(kinds)

"""The page of the configuration file, from the structs of the settings and the docstrings below their fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import inspect as shapes

from esclusa.config.settings import Configuration
from esclusa.kernel.duration import Duration
from reference.markdown import attribute_docs, code, joined, listed, promise, row

SETTINGS = """# Configuration file

What `esclusa.toml` takes, table by table. Durations are texts such as `"250ms"`, `"3s"`, `"1m30s"`, `"10m"`. `${NAME}` in a
text is filled in from the environment, `${NAME:-default}` with a default; `$$` is a dollar sign. Paths are relative to the
file that they stand in. `esclusa check` names every mistake with its line; `esclusa config schema` prints a JSON Schema
for editors."""


def settings_page() -> str:
    """Every table and key of the configuration file."""
    parts = [SETTINGS]
    for field in fields(Configuration):
        parts += _table(field.encode_name, field.type, attribute_docs(Configuration).get(field.name, ""))
    return joined(*parts)


def tables(path: str, shape: Any) -> Iterator[tuple[str, shapes.StructType]]:
    """`("connectors.NAME.breaker", its struct)` for the table at `path` and all below it."""
    if isinstance(shape, shapes.UnionType):
        for member in shape.types:
            yield from tables(path, member)
    elif isinstance(shape, shapes.Metadata):
        yield from tables(path, shape.type)
    elif isinstance(shape, shapes.ListType):
        yield from tables(f"[{path}]", shape.item_type)  # an array of tables
    elif isinstance(shape, shapes.DictType) and list(_structs(shape.value_type)):
        yield from tables(f"{path}.NAME", shape.value_type)
    elif isinstance(shape, shapes.StructType):
        yield path, shape
        for field in shape.fields:
            yield from tables(f"{path}.{field.encode_name}", field.type)


def _structs(shape: Any) -> Iterator[shapes.StructType]:
    return (found for _, found in tables("", shape))


def _table(path: str, shape: Any, about: str) -> list[str]:
    parts: list[str] = []
    for place, struct in tables(path, shape):
        kind = f' {struct.tag_field} = "{struct.tag}"' if struct.tag is not None else ""
        parts += [f"## `[{place}]{kind}`", promise(struct.cls)]
        if about and place.removesuffix(".NAME") == path:
            parts.append(about)
        if struct.fields:
            rows = [_row(field, attribute_docs(struct.cls).get(field.name, "")) for field in struct.fields]
            parts.append(listed("Key", "What it takes", "Unless given", "", rows=rows))
    return parts


def _row(field: shapes.Field, about: str) -> str:
    return row(code([field.encode_name]), _takes(field.type), _default(field), about)


def _takes(shape: Any) -> str:  # noqa: C901, PLR0911 - a case a kind of value
    """What a value of `shape` is, in words."""
    match shape:
        case shapes.UnionType(types=types):
            return " or ".join(_takes(member) for member in types if not isinstance(member, shapes.NoneType))
        case shapes.Metadata(type=inner, extra=extra):
            return "path" if extra and extra.get("path") else _takes(inner)
        case shapes.LiteralType(values=values):
            return ", ".join(f"`{value!r}`".replace("'", '"') for value in values)
        case shapes.CustomType(cls=cls) if cls is Duration:
            return "duration"
        case shapes.BoolType():
            return "`true`, `false`"
        case shapes.IntType() | shapes.FloatType():
            return _number(shape)
        case shapes.StrType():
            return "text"
        case shapes.ListType(item_type=item):
            return f"list of {_takes(item)}"
        case shapes.DictType(value_type=value):
            return f"table of {_takes(value)}"
        case shapes.StructType():
            return "table, below"
        case _:
            return "anything"


def _number(shape: shapes.IntType | shapes.FloatType) -> str:
    words = "whole number" if isinstance(shape, shapes.IntType) else "number"
    limits = [
        f"{sign} {limit}"
        for sign, limit in ((">", shape.gt), ("≥", shape.ge), ("<", shape.lt), ("≤", shape.le))
        if limit is not None
    ]
    return f"{words} {', '.join(limits)}".strip()


def _default(field: shapes.Field) -> str:
    if field.required:
        return "required"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if value is None or isinstance(value, msgspec.Struct) or value in ("", {}, []):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, Duration):
        return f'`"{value}"`'
    return f"`{msgspec.json.encode(value).decode()}`"


def fields(cls: type[msgspec.Struct]) -> tuple[shapes.Field, ...]:
    """The fields of `cls`, as they are written in the file."""
    shape = shapes.type_info(cls)
    assert isinstance(shape, shapes.StructType)
    return shape.fields

"""The JSON Schema of the configuration file, for editors: keys, types, defaults and what each is for."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Mapping
from inspect import cleandoc, getsource
from itertools import pairwise
from typing import Any

from msgspec import NODEFAULT, Struct, inspect

from esclusa.config.document import FAMILIES
from esclusa.config.settings import Configuration
from esclusa.connectors.protocols import PROTOCOLS, UNTOLD
from esclusa.kernel.duration import Duration
from esclusa.kernel.settings import Settings

_NAME = "^[a-z0-9][a-z0-9-]{0,63}$"
_VARIABLE = r"\$\{[^}]+\}"
_DURATION = rf"^(\d+(\.\d+)?(ms|s|m|h|d))+$|{_VARIABLE}"

Schema = dict[str, Any]
Definitions = dict[str, Schema]


def schema() -> Schema:
    """JSON Schema (draft 2020-12) of one file, the first or an included one.

    Text with a `${VARIABLE}` in it may stand wherever text, a number, or true or false may. What must hold between keys, `esclusa check` says.
    """
    definitions: Definitions = {}
    _of(inspect.type_info(Configuration), definitions)
    root = definitions.pop(Configuration.__name__)
    for family in FAMILIES:
        root["properties"][family]["propertyNames"] = {"pattern": _NAME}
    for settings in PROTOCOLS:
        name, overlay = settings.__name__, f"{settings.__name__}Overlay"
        connector = definitions[name]
        overlaid = {key: value for key, value in connector["properties"].items() if key != "environments"}
        connector["properties"]["environments"]["additionalProperties"] = {"$ref": f"#/$defs/{overlay}"}
        definitions[overlay] = {**connector, "properties": overlaid, "required": []}
        if settings.__struct_config__.tag == UNTOLD:
            connector["required"].remove(settings.__struct_config__.tag_field)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, "$defs": dict(sorted(definitions.items()))}


def _of(info: inspect.Type, definitions: Definitions) -> Schema:
    return _KINDS[type(info)](info, definitions)


def _struct(info: inspect.StructType, definitions: Definitions) -> Schema:
    name = info.cls.__name__
    if name not in definitions:
        definitions[name] = {}  # so that a struct may contain itself
        texts = _texts(info.cls)
        properties = {field.encode_name: _field(field, texts.get(field.name), definitions) for field in info.fields}
        if info.tag_field:
            properties = {info.tag_field: {"const": info.tag}, **properties}
        definitions[name] = {
            "type": "object",
            "description": cleandoc(info.cls.__doc__ or "").replace("\n", " "),
            "properties": properties,
            "required": [field.encode_name for field in info.fields if field.required]
            + ([info.tag_field] if info.tag_field else []),
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{name}"}


def _field(field: inspect.Field, text: str | None, definitions: Definitions) -> Schema:
    described = _of(field.type, definitions)
    if text:
        described["description"] = text
    if isinstance(field.default, Duration):
        described["default"] = str(field.default)
    elif field.default is not NODEFAULT and field.default is not None and not isinstance(field.default, Struct):
        described["default"] = field.default
    return described


def _texts(settings: type) -> dict[str, str]:
    """What stands below each field of `settings`, in its source or that of what it extends."""
    texts = {}
    for kind in (each for each in reversed(settings.__mro__) if issubclass(each, Settings)):
        body = ast.parse(textwrap.dedent(getsource(kind))).body[0]
        for field, below in pairwise(body.body if isinstance(body, ast.ClassDef) else []):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
                texts[field.target.id] = cleandoc(str(ast.literal_eval(below.value))).replace("\n", " ")
    return texts


def _union(info: inspect.UnionType, definitions: Definitions) -> Schema:
    kinds = [_of(kind, definitions) for kind in info.types if not isinstance(kind, inspect.NoneType)]
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}


def _dictionary(info: inspect.DictType, definitions: Definitions) -> Schema:
    return {"type": "object", "additionalProperties": _of(info.value_type, definitions)}


def _list(info: inspect.ListType, definitions: Definitions) -> Schema:
    return {"type": "array", "items": _of(info.item_type, definitions)}


def _literal(info: inspect.LiteralType, _: Definitions) -> Schema:
    return {"anyOf": [{"enum": list(info.values)}, {"type": "string", "pattern": _VARIABLE}]}


def _duration(_: inspect.CustomType, __: Definitions) -> Schema:
    return {"type": "string", "pattern": _DURATION}


def _number(info: inspect.IntType | inspect.FloatType, _: Definitions) -> Schema:
    limits = {"minimum": info.ge, "exclusiveMinimum": info.gt, "maximum": info.le, "exclusiveMaximum": info.lt}
    described: Schema = {"type": "integer" if isinstance(info, inspect.IntType) else "number"}
    described |= {name: limit for name, limit in limits.items() if limit is not None}
    return {"anyOf": [described, {"type": "string", "pattern": _VARIABLE}]}


def _truth(_: inspect.BoolType, __: Definitions) -> Schema:
    return {"anyOf": [{"type": "boolean"}, {"type": "string", "pattern": _VARIABLE}]}


_KINDS: Mapping[type[inspect.Type], Callable[[Any, Definitions], Schema]] = {
    inspect.StructType: _struct,
    inspect.UnionType: _union,
    inspect.DictType: _dictionary,
    inspect.ListType: _list,
    inspect.LiteralType: _literal,
    inspect.CustomType: _duration,
    inspect.IntType: _number,
    inspect.FloatType: _number,
    inspect.StrType: lambda _, __: {"type": "string"},
    inspect.BoolType: _truth,
    inspect.Metadata: lambda info, definitions: _of(info.type, definitions),
    inspect.AnyType: lambda _, __: {},
}

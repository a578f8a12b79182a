"""Whether a tree has the shape of the settings: its keys and types, every mistake in them.

msgspec stops at its first error and forgets names, so the tree is walked here first, along what msgspec knows of the
structs; what comes out, `msgspec.convert` takes without a word.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import inspect

from esclusa.config.findings import Findings, nearest
from esclusa.config.lines import Key
from esclusa.config.tree import Node
from esclusa.kernel.duration import Duration

WRONG: Final = object()
"""Stands for a value that can't be used; why has been noted."""


_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,18}\.[0-9]{1,18}")
_GIVES = ": that is what its variable has to give"
_TRUTHS = {"true": True, "false": False}
_UNBRACED = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def shaped(root: Node, settings: type, findings: Findings) -> dict[str, Any]:
    """`root` in plain values, without what does not fit `settings`: that goes to `findings`.

    What is required and absent is noted too, and an empty text takes its place, so that the rest can be judged all the
    same. Paths come out absolute, from the folder of the file in which they are written.
    """
    value: dict[str, Any] = _value(findings, root, inspect.type_info(settings), ())
    return value


def has_all(node: Node, settings: type) -> bool:
    """Whether what `settings` require stands in `node`, and is of its kind: no placeholder has been put in its place."""
    info = inspect.type_info(settings)
    required = [field for field in info.fields if field.required] if isinstance(info, inspect.StructType) else []
    found = [(node.find(field.encode_name), field.type) for field in required]
    return all(below is not None and _value(Findings(), below, kind, ()) is not WRONG for below, kind in found)


def plain(node: Node) -> Any:
    """The value of `node` as tomllib gave it, with its variables filled in."""
    if isinstance(node.value, dict):
        return {name: plain(below) for name, below in node.value.items()}
    if isinstance(node.value, list):
        return [plain(below) for below in node.value]
    return node.value


def dotted(path: Key) -> str:
    """`connectors.dgt.tags[0]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + (step if _BARE.fullmatch(step) else f'"{step}"')
    return text


def _value(findings: Findings, node: Node, info: inspect.Type, path: Key) -> Any:
    if node.unknown:
        return WRONG
    return _KINDS[type(info)](findings, node, info, path)


def _mismatch(findings: Findings, node: Node, path: Key, wanted: str) -> object:
    """A value of another kind, which is named and not shown: it might be a secret."""
    findings.add(node.place, f"{dotted(path)} is {_kind(node.value)}, not {wanted}")
    return WRONG


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    for kind, words in _WORDS.items():
        if isinstance(value, kind):
            return words
    return "a date or time"


def _struct(findings: Findings, node: Node, info: inspect.StructType, path: Key) -> Any:
    if not isinstance(node.value, dict):
        return _mismatch(findings, node, path, f"a table: write [{dotted(path)}] above its keys")
    fields = {field.encode_name: field for field in info.fields}
    values: dict[str, Any] = {}
    for name, below in node.value.items():
        if name in fields:
            value = _value(findings, below, fields[name].type, (*path, name))
            if value is not WRONG:
                values[name] = value
        elif name == info.tag_field:
            values[name] = info.tag
        else:
            findings.add(below.place, _unknown(below, info, (*path, name)))
    for name, field in fields.items():
        if field.required and name not in values:
            if name not in node.value:
                findings.add(node.place, f"[{dotted(path)}] has no {name}: add {name} = {_sample(field.type)}")
            values[name] = _placeholder(field.type)
    return values


def _sample(info: inspect.Type) -> str:
    """How a value of that type is written."""
    return "10" if isinstance(info, inspect.IntType | inspect.FloatType) else '"..."'


def _placeholder(info: inspect.Type) -> Any:
    """Something of that type, for what is required and isn't there: so that the rest can be looked at."""
    placeholder: Any = ""
    match info:
        case inspect.LiteralType():
            placeholder = info.values[0]
        case inspect.ListType():
            placeholder = [_placeholder(info.item_type)] * (info.min_length or 0)
        case inspect.Metadata():
            placeholder = _placeholder(info.type)
        case inspect.StrType():
            placeholder = "x" * (info.min_length or 0)
        case inspect.IntType() | inspect.FloatType():
            placeholder = info.ge or 1
        case inspect.BoolType():
            placeholder = False
        case inspect.CustomType():
            placeholder = "1s"
        case _:
            pass
    return placeholder


def _unknown(node: Node, info: inspect.StructType, path: Key) -> str:
    name = str(path[-1])
    known = [*([info.tag_field] if info.tag_field else []), *_names(info)]
    if len(path) > 1:
        return f"unknown key {dotted(path)}: {nearest(name, known)}"
    if isinstance(node.value, dict):
        return f"unknown table [{dotted(path)}]: {nearest(name, known)}"
    homes = [
        field.encode_name for field in info.fields if isinstance(field.type, inspect.StructType) and name in _names(field.type)
    ]
    return f"unknown key {dotted(path)}: write it below {' or '.join(f'[{home}]' for home in homes) or 'its [table]'}"


def _names(info: inspect.StructType) -> list[str]:
    return [field.encode_name for field in info.fields]


def _union(findings: Findings, node: Node, info: inspect.UnionType, path: Key) -> Any:
    kinds = [kind for kind in info.types if not isinstance(kind, inspect.NoneType)]
    if tagged := _kinds_of(info):
        return _tagged(findings, node, tagged, path)
    if isinstance(node.value, dict):
        kinds.sort(key=lambda kind: not isinstance(kind, inspect.DictType | inspect.StructType))
    return _value(findings, node, kinds[0], path)


def _kinds_of(info: inspect.Type) -> list[inspect.StructType]:
    """The tables that bear a tag, among those that `info` may be."""
    kinds = info.types if isinstance(info, inspect.UnionType) else (info,)
    return [kind for kind in kinds if isinstance(kind, inspect.StructType) and kind.tag_field]


def _tagged(
    findings: Findings, node: Node, kinds: Sequence[inspect.StructType], path: Key, untold: Mapping[str, str] | None = None
) -> Any:
    """One of `kinds`. `untold`: by its name, the tag of what doesn't say which."""
    if not isinstance(node.value, dict):
        return _mismatch(findings, node, path, f"a table: write [{dotted(path)}] above its keys")
    by_tag = {str(kind.tag): kind for kind in kinds}
    tag_field = str(kinds[0].tag_field)
    tag = node.value.get(tag_field)
    if tag is None and untold is not None:
        tag = Node(node.place, untold[tag_field])
        node = Node(node.place, {tag_field: tag, **node.value})
    if tag is None:
        findings.add(node.place, f"[{dotted(path)}] has no {tag_field}: {nearest('', by_tag)}")
        return WRONG
    chosen = _value(findings, tag, inspect.LiteralType(tuple(by_tag)), (*path, tag_field))
    return WRONG if chosen is WRONG else _struct(findings, node, by_tag[chosen], path)


def _dictionary(findings: Findings, node: Node, info: inspect.DictType, path: Key) -> Any:
    if not isinstance(node.value, dict):
        return _mismatch(findings, node, path, "a table of names and values")
    values = {name: _value(findings, below, info.value_type, (*path, name)) for name, below in node.value.items()}
    return {name: value for name, value in values.items() if value is not WRONG}


def _list(findings: Findings, node: Node, info: inspect.ListType, path: Key) -> Any:
    if not isinstance(node.value, list):
        return _mismatch(findings, node, path, "a list: put it between [ and ]")
    if len(node.value) < (info.min_length or 0):
        findings.add(node.place, f"{dotted(path)} can't be empty: name {info.min_length} at least")
        return WRONG
    values = [_value(findings, below, info.item_type, (*path, place)) for place, below in enumerate(node.value)]
    sound = [value for value in values if value is not WRONG]
    return sound if sound or not values else WRONG


def _literal(findings: Findings, node: Node, info: inspect.LiteralType, path: Key) -> Any:
    if node.value not in info.values:
        findings.add(node.place, f"{dotted(path)} can't be {node.shown()}: {nearest(str(node.value), map(str, info.values))}")
        return WRONG
    return node.value


def _duration(findings: Findings, node: Node, _: inspect.CustomType, path: Key) -> Any:
    if not isinstance(node.value, str):
        given = isinstance(node.value, int | float) and not isinstance(node.value, bool)
        like = f'"{node.value}s"' if given else '"3s"'
        return _mismatch(findings, node, path, f"a duration: write a number and its unit between quotes, such as {like}")
    try:
        Duration.parse(node.value)
    except ValueError:
        what = f'{dotted(path)} can\'t be {node.shown()}: write a number and its unit, such as "250ms", "3s", "1m30s" or "10m"'
        findings.add(node.place, what)
        return WRONG
    return node.value


def _number(findings: Findings, node: Node, info: inspect.IntType | inspect.FloatType, path: Key) -> Any:
    whole = isinstance(info, inspect.IntType)
    given = _numeral(node.value) if isinstance(node.value, str) and node.written is not None else node.value
    if isinstance(given, bool) or not isinstance(given, int if whole else int | float):
        remedy = f" such as {10 if whole else 0.5}"
        if node.written is not None:
            remedy = _GIVES
        elif isinstance(given, str):
            remedy = ": write it without quotes"
        return _mismatch(findings, node, path, f"a {'whole ' if whole else ''}number{remedy}")
    for name, holds, words in _LIMITS:
        limit = getattr(info, name)
        if limit is not None and not holds(given, limit):
            findings.add(node.place, f"{dotted(path)} can't be {node.shown()}: it must be {words} {limit}")
            return WRONG
    return given


def _numeral(text: str) -> int | float | str:
    """The number that a variable of the environment has given; the text, when it is none."""
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text


def _text(findings: Findings, node: Node, info: inspect.StrType, path: Key) -> Any:
    if not isinstance(node.value, str):
        return _mismatch(findings, node, path, "text: put it between quotes")
    if len(node.value) < (info.min_length or 0):
        findings.add(node.place, f"{dotted(path)} can't be empty")
        return WRONG
    if info.pattern is not None and not re.search(info.pattern, node.value):
        findings.add(node.place, f"{dotted(path)} can't be {node.shown()}: it must match {info.pattern}")
        return WRONG
    return node.value


def _truth(findings: Findings, node: Node, _: inspect.BoolType, path: Key) -> Any:
    given = _TRUTHS.get(node.value) if isinstance(node.value, str) and node.written is not None else node.value
    if not isinstance(given, bool):
        remedy = ": write one of them, without quotes" if node.written is None else _GIVES
        return _mismatch(findings, node, path, f"true or false{remedy}")
    return given


def _metadata(findings: Findings, node: Node, info: inspect.Metadata, path: Key) -> Any:
    if info.extra is not None and (tagged := _kinds_of(info.type)):
        return _tagged(findings, node, tagged, path, info.extra)
    value = _value(findings, node, info.type, path)
    if info.extra == {"secret": True} and isinstance(value, str):
        return _secret(findings, node, value, path)
    if info.extra == {"path": True} and isinstance(value, str) and "://" not in value:  # what may be a file may be a URL
        return str((Path(node.place.file).parent / value).absolute())
    return value


def _secret(findings: Findings, node: Node, value: str, path: Key) -> Any:
    if not value:
        findings.add(node.place, f"{dotted(path)} is empty{_GIVES if node.taken else ''}")
        return WRONG
    if _UNBRACED.fullmatch(node.written or ""):
        name = (node.written or "")[1:]
        findings.add(node.place, f"{dotted(path)} is no variable like this: write ${{{name}}}, or $${name} for that very text")
        return WRONG
    return value


def _anything(_: Findings, node: Node, __: inspect.AnyType, ___: Key) -> Any:
    return plain(node)


_KINDS: Mapping[type[inspect.Type], Callable[[Findings, Node, Any, Key], Any]] = {
    inspect.StructType: _struct,
    inspect.UnionType: _union,
    inspect.DictType: _dictionary,
    inspect.ListType: _list,
    inspect.LiteralType: _literal,
    inspect.CustomType: _duration,
    inspect.IntType: _number,
    inspect.FloatType: _number,
    inspect.StrType: _text,
    inspect.BoolType: _truth,
    inspect.Metadata: _metadata,
    inspect.AnyType: _anything,
}

_LIMITS = (
    ("ge", operator.ge, "at least"),
    ("gt", operator.gt, "more than"),
    ("le", operator.le, "at most"),
    ("lt", operator.lt, "less than"),
)

_WORDS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    dict: "a table",
    list: "a list",
}

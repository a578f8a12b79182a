"""`${NAME}`, `${NAME:-default}`, `${file:PATH}` and `$$` in the strings of a configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from esclusa.config.findings import Findings
from esclusa.config.tree import Node

_VARIABLE = re.compile(r"\$\$|\$\{(?P<inside>[^}]*)(?P<close>\}?)")
_FILE = "file:"
LARGEST = 64 * 1024
"""Bytes of a file that is filled in."""
_INSIDE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<otherwise>:-(?P<default>.*))?", re.DOTALL)


def fill_in(node: Node, environ: Mapping[str, str], findings: Findings, *, required: bool = True) -> Node:
    """`node` with the variables in its strings replaced by their values, or by their defaults where unset or empty.

    `$$` is a dollar sign; any other `$` stands for itself. `${file:PATH}` is what stands in a file, less the end of its last
    line; the path starts at the file that has it. A variable that isn't set and has no default is a mistake if
    it is `required`; its string stays as it is written and is marked `unknown` in any case.
    """
    if isinstance(node.value, dict):
        value: object = {name: fill_in(below, environ, findings, required=required) for name, below in node.value.items()}
        return msgspec.structs.replace(node, value=value)
    if isinstance(node.value, list):
        value = [fill_in(below, environ, findings, required=required) for below in node.value]
        return msgspec.structs.replace(node, value=value)
    if not isinstance(node.value, str) or "$" not in node.value:
        return node
    filled, taken, unset, malformed = _filled(node, environ)
    if malformed:
        findings.add(
            node.place,
            'a "${" here begins no variable: write ${NAME}, ${NAME:-default} or ${file:PATH}, and $$ for a dollar sign',
        )
    for name in unset if required else ():
        if name.startswith(_FILE):
            findings.add(
                node.place,
                f"the file {name[len(_FILE) :]} is empty, or can't be read as a text of at most 64 KiB: paths start at this file",
            )
        else:
            findings.add(node.place, f"the environment variable {name} is not set: set it, or write ${{{name}:-default}}")
    if malformed or unset:
        return msgspec.structs.replace(node, unknown=True)
    return msgspec.structs.replace(node, value=filled, written=node.value, taken=taken)


def files_in(node: Node) -> Iterator[Path]:
    """The files that strings in `node` take in."""
    for string in node.strings():
        for found in _VARIABLE.finditer(string.value):
            if found["close"] and (found["inside"] or "").startswith(_FILE):
                yield _path(string, found["inside"])


def _path(node: Node, inside: str) -> Path:
    return (Path(node.place.file).parent / inside[len(_FILE) :]).absolute()


def _content(path: Path) -> str | None:
    """None: it can't be had, or there is nothing in it, as while it is written anew. A pipe could keep who opens it waiting."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        text = content.decode().removesuffix("\n").removesuffix("\r")
        return text if text and len(content) <= LARGEST else None
    except (OSError, ValueError):
        return None


def _looked_up(node: Node, inside: str, environ: Mapping[str, str]) -> tuple[str, str | None, bool] | None:
    """What stands in `${...}`: its name, its value if it has one, and whether that is the default; None for no variable."""
    if inside.startswith(_FILE):
        return inside, _content(_path(node, inside)), False
    variable = _INSIDE.fullmatch(inside)
    if variable is None:
        return None
    name, given = variable["name"], environ.get(variable["name"])
    if variable["otherwise"] is not None and not given:
        return name, variable["default"], True
    return name, given, False


def _filled(node: Node, environ: Mapping[str, str]) -> tuple[str, dict[str, str], list[str], bool]:
    """The text filled in, what was taken for it, the variables that aren't set, and whether there is a `${` of none."""
    taken: dict[str, str] = {}
    unset: list[str] = []
    malformed = False

    def value(found: re.Match[str]) -> str:
        nonlocal malformed
        if found.group() == "$$":
            return "$"
        looked_up = _looked_up(node, found["inside"], environ) if found["close"] else None
        if looked_up is None:
            malformed = True
            return ""
        name, given, default = looked_up
        if given is None:
            unset.append(name)
            return ""
        if not default:
            taken[name] = given
        return given

    return _VARIABLE.sub(value, node.value), taken, unset, malformed

"""`${NAME}`, `${NAME:-default}` and `$$` in the strings of a configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from esclusa.config.findings import Findings
from esclusa.config.tree import Node

_VARIABLE = re.compile(r"\$\$|\$\{(?P<inside>[^}]*)(?P<close>\}?)")
_INSIDE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<otherwise>:-(?P<default>.*))?", re.DOTALL)


def fill_in(node: Node, environ: Mapping[str, str], findings: Findings, *, required: bool = True) -> Node:
    """`node` with the variables in its strings replaced by their values, or by their defaults where unset or empty.

    `$$` is a dollar sign; any other `$` stands for itself. A variable that isn't set and has no default is a mistake if
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
    filled, taken, unset, malformed = _filled(node.value, environ)
    if malformed:
        findings.add(node.place, 'a "${" here begins no variable: write ${NAME} or ${NAME:-default}, and $$ for a dollar sign')
    for name in unset if required else ():
        findings.add(node.place, f"the environment variable {name} is not set: set it, or write ${{{name}:-default}}")
    if malformed or unset:
        return msgspec.structs.replace(node, unknown=True)
    return msgspec.structs.replace(node, value=filled, written=node.value, taken=taken)


def _filled(text: str, environ: Mapping[str, str]) -> tuple[str, dict[str, str], list[str], bool]:
    """The text filled in, what was taken for it, the variables that aren't set, and whether there is a `${` of none."""
    taken: dict[str, str] = {}
    unset: list[str] = []
    malformed = False

    def value(found: re.Match[str]) -> str:
        nonlocal malformed
        if found.group() == "$$":
            return "$"
        variable = _INSIDE.fullmatch(found["inside"])
        if not found["close"] or variable is None:
            malformed = True
            return ""
        name, given = variable["name"], environ.get(variable["name"])
        if variable["otherwise"] is not None and not given:
            return variable["default"]
        if given is None:
            unset.append(name)
            return ""
        taken[name] = given
        return given

    return _VARIABLE.sub(value, text), taken, unset, malformed

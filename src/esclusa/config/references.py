"""Whether every name that a configuration uses is one that it declares."""

from __future__ import annotations

from esclusa.config.draft import Draft
from esclusa.config.findings import nearest
from esclusa.config.lines import Key
from esclusa.config.shape import dotted
from esclusa.connectors.template import placeholders
from esclusa.hub.inventory import Inventory
from esclusa.hub.settings import ParamSettings


def check(draft: Draft) -> None:
    """Note every name that nothing bears."""
    inventory = Inventory(draft.settings.connectors, draft.settings.queries)
    for name in draft.settings.queries:
        _connectors_named(draft, name)
    for name, settings in draft.settings.connectors.items():
        path: Key = ("connectors", name)
        pools = ["default", *(pool for pool in draft.root.table("pools") if pool != "default")]
        if settings.pool not in pools:
            draft.wrong((*path, "pool"), _unknown(draft, (*path, "pool"), "pools", settings.pool, pools))
        known = list(draft.root.table("credentials"))
        if settings.credentials is not None and settings.credentials not in known:
            draft.wrong(
                (*path, "credentials"), _unknown(draft, (*path, "credentials"), "credentials", settings.credentials, known)
            )
        declared = _params(draft, inventory, name)
        for param in settings.serves:
            if param not in declared:
                at = (*path, "serves", param)
                draft.wrong(
                    at, f"{dotted(at)}: no query that asks {name} declares the parameter {param}, {nearest(param, declared)}"
                )
        _placeholders(draft, name, declared)


def _unknown(draft: Draft, path: Key, family: str, name: str, known: list[str]) -> str:
    return f"{dotted(path)} is {draft.shown(*path)}, which [{family}] doesn't have: {nearest(name, known)}"


def _connectors_named(draft: Draft, query: str) -> None:
    """The connectors that `query` names."""
    names = list(draft.root.table("connectors"))
    tags = list(dict.fromkeys(f"#{tag}" for connector in draft.settings.connectors.values() for tag in connector.tags))
    path = ("queries", query, "connectors")
    written = draft.root.find(*path)
    for place, node in enumerate(written.value if written is not None and isinstance(written.value, list) else []):
        if node.unknown or not isinstance(node.value, str) or node.value in ("*", *names, *tags):
            continue
        if node.value.startswith("#"):
            what = f"{dotted(path)} has {node.shown()}, and no connector has that tag: {nearest(node.value, tags)}"
        else:
            what = f"{dotted(path)} has {node.shown()}, and there is no such connector: {nearest(node.value, [*names, '*'])}"
        draft.wrong((*path, place), what)
    if written is not None and written.value == []:
        draft.wrong(path, f'{dotted(path)} names nobody: name connectors, a "#tag", or "*" for all')


def _params(draft: Draft, inventory: Inventory, connector: str) -> dict[str, ParamSettings]:
    """What the queries that ask `connector` declare; what all declare, if none asks it."""
    queries = draft.settings.queries
    asking = [name for name in queries if connector in inventory.concerned(name, {})] or list(queries)
    return {param: declared for name in asking for param, declared in queries[name].params.items()}


def _placeholders(draft: Draft, connector: str, declared: dict[str, ParamSettings]) -> None:
    """The parameters that its templates name; what else is wrong with them, the connectors say."""
    known = []
    for param, settings in declared.items():
        known += [f"params.{param}.from", f"params.{param}.to"] if settings.type == "dateRange" else [f"params.{param}"]
    for key in draft.settings.connectors[connector].templates:
        written = draft.root.find("connectors", connector, key)
        for node in () if written is None else written.strings():
            for name in () if node.unknown else _named(node.value):
                if name.startswith("params.") and name not in known:
                    shown = f"{{{name}}}" if node.written is None else "a placeholder"
                    what = f"connectors.{connector}.{key} has {shown}, which no query that asks it declares: {nearest(name, known)}"
                    draft.findings.add(node.place, what)


def _named(text: str) -> list[str]:
    try:
        return placeholders(text)
    except ValueError:
        return []

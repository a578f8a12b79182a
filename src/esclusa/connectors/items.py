"""The shape that answers of all bodies can have in common: items with a label, a value, a date, an amount, a state, a link."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlsplit

from esclusa.connectors.expression import Expression, expression
from esclusa.connectors.faults import Check, KeyPath
from esclusa.connectors.settings import ItemsSettings

MEMBERS = ("label", "value", "date", "amount", "state", "link")
"""What an item may have, in the order in which it has them."""


def items_of(settings: ItemsSettings) -> Expression:
    """What makes a list of items of a decoded answer. `ValueError` in words for what is no expression.

    A table where a list was expected is its only item, and nothing at all is None. What an item has no value for, it is
    without, and so it is without a link that leads anywhere but to the web: whoever shows it may follow it. Where nothing
    is found there is no item. Anything but a list or a table is a `ValueError`: it is not what the settings were written for.
    """
    found = expression(settings.source)
    members = {name: expression(text) for name in MEMBERS if (text := getattr(settings, name)) is not None}

    def items(answer: Any) -> list[dict[str, Any]] | None:
        rows = found(answer)
        if rows is None:
            return None
        if isinstance(rows, dict):
            rows = [rows]
        if not isinstance(rows, list):
            raise ValueError("there is neither a list nor a table")  # noqa: TRY004 - of data, not of a program
        return [item for row in rows if (item := _item(members, row))]

    return items


def item_checks(path: KeyPath, settings: ItemsSettings) -> list[Check]:
    """What is to be looked at in `settings`, which stand at `path`."""
    texts = {"from": settings.source, **{name: getattr(settings, name) for name in MEMBERS}}
    return [((*path, key), partial(expression, text)) for key, text in texts.items() if text is not None]


def _item(members: dict[str, Expression], row: Any) -> dict[str, Any]:
    item = {name: value for name, member in members.items() if (value := member(row)) is not None}
    if "link" in item and not _leads_to_the_web(item["link"]):
        del item["link"]
    return item


def _leads_to_the_web(link: object) -> bool:
    try:
        parts = urlsplit(link) if isinstance(link, str) else None
    except ValueError:
        return False
    return parts is not None and parts.scheme in ("http", "https") and bool(parts.netloc)

"""The body or the arguments of a question: a table for what has members, a line with a placeholder for what has a value."""

from __future__ import annotations

from typing import Any

from esclusa.connectors.sketch.page import Page
from esclusa.connectors.sketch.part import Part
from esclusa.connectors.sketch.question import Asked


def write_template(page: Page, path: tuple[str, ...], parts: tuple[Part, ...], asked: Asked, *, typed: bool) -> None:
    """The table at `path`, with all of `parts`; those that are lists have one item. `typed`: numbers are no texts there."""
    page.blank()
    page.table(*path)
    tables = [part for part in parts if part.parts and not part.many]
    for part in parts:
        if part not in tables:
            _entry(page, part, asked, typed=typed)
    for part in tables:
        write_template(page, (*path, part.name), part.parts, asked, typed=typed)


def _entry(page: Page, part: Part, asked: Asked, *, typed: bool) -> None:
    if part.kind == "table" or part.many:
        page.entry(
            part.name, _value(part, asked), "guess: a list with one item" if part.many else "guess: a table with anything in it"
        )
        return
    if not isinstance(part.always, str) and part.always is not None:
        page.entry(part.name, part.always, "guess: what the description has when nothing is said")
    elif part.kind == "truth":
        page.entry(part.name, value=False, why="guess: a truth can't be a placeholder")
    else:
        value, why = asked.text(part)
        page.entry(
            part.name, value, f"sent as a text, and a number is wanted; {why}" if typed and part.kind == "number" else why
        )


def _value(part: Part, asked: Asked) -> Any:
    """What stands in one line: a list with one item, or a table."""
    if part.kind == "table":
        inside: Any = {each.name: _value(each, asked) for each in part.parts}
    elif part.always is not None and not isinstance(part.always, str):
        inside = part.always
    else:
        inside = False if part.kind == "truth" else asked.text(part)[0]
    return [inside] if part.many else inside

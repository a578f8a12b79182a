"""What becomes of an answer: the lines that make items of it, in comments, because they are guesses."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from esclusa.connectors.items import MEMBERS
from esclusa.connectors.sketch.guesses import members_among
from esclusa.connectors.sketch.page import Page, as_text
from esclusa.connectors.sketch.part import Part

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHOWN = 40
"""Lines about what the answer has."""
_TRANSFORMED = 6
"""Members of the example of a transform."""


def describe(page: Page, answer: Part, transform_below: tuple[str, ...]) -> None:
    """Say what `answer` has, and how it may be brought into shape. `transform_below`: the path of the connector's table."""
    lines = list(_lines(answer, ""))
    if not lines:
        page.remark("What it answers, the description does not say. Without transform and items, all of it is passed on.")
        return
    page.remark("What it answers, by the description. All of it is passed on, unless transform or items say otherwise.")
    for line in lines[:_SHOWN]:
        page.line(f"  {line}")
    if len(lines) > _SHOWN:
        page.line(f"  and {len(lines) - _SHOWN} more")
    source, row = _rows(answer)
    known = list(_columns(row))
    members = members_among(known)
    if "label" not in members:
        return
    page.blank()
    page.remark('Only a part of it: a guess, by names. Take away the "# " to use it.')
    page.entry("transform", as_text(_transform(answer, source, row, known)), "guess", off=True)
    page.blank()
    page.remark("Or the shape that all bodies have in common, in place of transform: guesses, by names and types.")
    page.table(*transform_below, "items", off=True)
    page.entry("from", as_text(source), "guess: where the list is", off=True)
    for member in MEMBERS:
        if member in members:
            page.entry(member, as_text(members[member]), "guess", off=True)


def _lines(part: Part, above: str) -> Iterator[str]:
    """Each thing that has a value: where it is, and what it is."""
    here = f"{above}.{part.name}" if above and part.name else above or part.name
    here += "[]" if part.many else ""
    if part.parts:
        for each in part.parts:
            yield from _lines(each, here)
    elif here or part.kind != "unknown":
        about = f": {part.about}" if part.about else ""
        choices = f" ({', '.join(part.choices[:8])})" if part.choices else ""
        yield f"{here or '@'}  {part.kind}{choices}{about}"


def _rows(answer: Part) -> tuple[str, Part]:
    """The list of items in an answer, by its expression: the nearest list of tables, else the answer's innermost only table."""
    level = [("", answer)]
    while level:
        for path, part in level:
            if part.many and part.parts:
                return path or "@", part
        level = [(_below(path, each), each) for path, part in level if not part.many for each in part.parts]
    path, row = "", answer
    while len(row.parts) == 1 and row.parts[0].parts and not row.parts[0].many:
        path, row = _below(path, row.parts[0]), row.parts[0]
    return path or "@", row


def _columns(row: Part) -> Iterator[tuple[str, Part]]:
    """What an item has, and what the tables in it have."""
    for part in row.parts:
        if part.parts and not part.many:
            yield from ((_below(_below("", part), each), each) for each in part.parts if not each.parts)
        elif not part.parts:
            yield _below("", part), part
    if not row.parts:
        yield "@", msgspec.structs.replace(row, many=False)


def _below(path: str, part: Part) -> str:
    name = part.name if _NAME.fullmatch(part.name) else msgspec.json.encode(part.name).decode()
    return f"{path}.{name}" if path else name


def _transform(answer: Part, source: str, row: Part, known: list[tuple[str, Part]]) -> str:
    if not row.parts:
        return source
    start = "" if source == "@" else source
    start += "[]" if row.many else ""
    chosen = [path for path, _ in known][:_TRANSFORMED]
    inside = ", ".join(f"{path.rpartition('.')[2] if path.count('.') == 1 and not path.endswith('"') else path}: {path}" for path in chosen if _is_simple(path))
    return f"{start}.{{{inside}}}" if inside and start else f"{{{inside}}}" if inside else source or answer.name


def _is_simple(path: str) -> bool:
    return all(_NAME.fullmatch(step) for step in path.split("."))

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


def list_in(answer: Part) -> str | None:
    """The expression that finds the list of items in `answer`; None where there is none."""
    source, row = _rows(answer)
    return source if row.many else None


def outline(page: Page, answer: Part, *, paged: bool = False) -> None:
    """Say what `answer` has, in the connector's own table, and how a part of it is had. `paged`: of its list alone."""
    page.blank()
    lines = list(_lines(answer, ""))
    if not lines:
        page.remark(
            "What it answers, the description does not say. All of it is passed on, unless transform or items say otherwise."
        )
        return
    page.remark("What it answers, by the description. All of it is passed on, unless transform or items say otherwise.")
    for line in lines[:_SHOWN]:
        page.line(f"  {line}")
    if len(lines) > _SHOWN:
        page.line(f"  and {len(lines) - _SHOWN} more")
    source, row = _rows(answer)
    if not (row.parts or row.many):
        return
    page.entry(
        "transform",
        as_text(_transform("@" if paged else source, row, list(_columns(row)))),
        'guess, by names: take away the "# " to use it',
        off=True,
    )


def items(page: Page, answer: Part, connector: str, *, paged: bool = False) -> None:
    """The table that brings `answer` into the shape of all, where there is something to make a label of. `paged`: as above."""
    source, row = _rows(answer)
    members = members_among(list(_columns(row)))
    if "label" not in members or not (row.parts or row.many):
        return
    page.blank()
    page.remark('The shape that all bodies have in common, in place of transform: take away each "# " to use it.')
    page.table("connectors", connector, "items", off=True)
    page.entry("from", as_text("@" if paged else source), "guess: where the list is", off=True)
    for member in MEMBERS:
        if member in members:
            page.entry(member, as_text(members[member]), "guess, by its name and type", off=True)


def _lines(part: Part, above: str) -> Iterator[str]:
    """Each thing that has a value: where it is, and what it is."""
    here = f"{above}.{part.name}" if above and part.name else above or part.name
    here += "[]" if part.many else ""
    if part.parts:
        for each in part.parts:
            yield from _lines(each, here)
    elif here or part.kind not in ("unknown", "table"):
        about = f": {part.about}" if part.about else ""
        choices = f" ({', '.join(part.choices[:8])})" if part.choices else ""
        yield f"{here or '@'}  {part.kind}{choices}{about}"


def _rows(answer: Part) -> tuple[str, Part]:
    """The items in an answer, by their expression: the nearest list of tables that say more than what is around them.

    Else the answer itself, or the only table in it.
    """
    if answer.many:
        return "@", answer
    level = [("", answer)]
    while level:
        for path, holder in level:
            beside = sum(not each.parts for each in holder.parts)
            for each in holder.parts:
                if each.many and len(each.parts) > beside:
                    return _below(path, each), each
        level = [(_below(path, each), each) for path, holder in level for each in holder.parts if not each.many]
    path, row = "", answer
    while len(row.parts) == 1 and row.parts[0].parts:
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


def _called(path: str, part: Part) -> str:
    """What a member is called that is found by `path`."""
    steps = path.split(".")
    return "_".join(steps) if all(map(_NAME.fullmatch, steps)) else _below("", part)


def _transform(source: str, row: Part, known: list[tuple[str, Part]]) -> str:
    """The same rows, with a few of the members that they have."""
    if not row.parts:
        return source
    inside = ", ".join(f"{_called(path, part)}: {path}" for path, part in known[:_TRANSFORMED])
    start = ("" if source == "@" else source) + ("[]" if row.many else "")
    return f"{start}.{{{inside}}}" if start else f"{{{inside}}}"

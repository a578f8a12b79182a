"""Two bodies that no protocol reaches."""

from __future__ import annotations

import sqlite3
from typing import Any

from esclusa.connectors.backend import Question

PEOPLE = {"12345678Z": "Ana García"}


async def registry(question: Question) -> dict[str, str] | None:
    """A coroutine: it is awaited, and cut when its time is over. None: nothing about this person."""
    name = PEOPLE.get(question.subject)
    return None if name is None else {"name": name}


def archive(question: Question) -> list[dict[str, Any]]:
    """A plain function may block: it has a thread of its own. An exception is a KO `backend_error`."""
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE licences (nif, kind, year)")
        database.execute("INSERT INTO licences VALUES ('12345678Z', 'fishing', 2021)")
        found = database.execute("SELECT kind, year FROM licences WHERE nif = ?", [question.subject])
        return [{"kind": kind, "year": year} for kind, year in found]

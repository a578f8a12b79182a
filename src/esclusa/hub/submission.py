"""What a caller says to the hub, and what it is told at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A question as a caller puts it (H1)."""

    caller: str
    """Who asks and alone may read: `client:NAME` for a program, `person:NIF` for a person."""
    query: str
    subject: str
    """Whom it is about."""
    params: Mapping[str, Any] = {}
    """By name, as the query declares them: text, number, `{"from": "2026-01-01", "to": "2026-02-01"}`."""
    connectors: list[str] | None = None
    """A subset to ask, by name; None: everyone concerned."""
    idempotency_key: str | None = None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The technical OK: the request is durable and will be asked. Times are milliseconds since the epoch."""

    id: UUID
    query: str
    created: int
    deadline: int
    expires: int
    retry_after: int
    """Milliseconds after which the first look is worth it."""

"""What a request looks like at one moment: pure, from its rows.

Every connector concerned stands exactly once, in `answers` (in the order of the request's list) or in `pending`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from uuid import UUID

import msgspec

from esclusa.connectors.backend import Reason
from esclusa.hub.cursor import bitmap
from esclusa.hub.pack import Recorded
from esclusa.hub.stored import Times


class Answer(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One connector's answer as a reader sees it."""

    connector: str
    title: str
    reason: Reason | None = None
    """None: OK."""
    detail: str = ""
    """Our words for what went wrong; empty when OK."""
    attempts: int = 0
    elapsed: int | None = None
    """Milliseconds of the call with its retries; None when there is no answer."""
    received: int | None = None
    """When the log took it, in milliseconds since the epoch; None when there is no answer."""
    data: bytes | None = None
    """JSON; None for a KO, when there is nothing about the subject, and when only heads were asked for."""


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """A request at one moment (H2). Times are milliseconds since the epoch."""

    id: UUID
    query: str
    created: int
    deadline: int
    expires: int
    query_more: bool
    """Provisional: ask again."""
    complete: bool
    """Everyone concerned answered OK."""
    retry_after: int
    """Milliseconds after which asking again is worth it; 0 when final."""
    answers: list[Answer]
    pending: list[str]
    tag: str
    """Changes whenever another connector has answered, and when it becomes final."""


def compose(
    id: UUID,
    query: str,
    times: Times,
    connectors: Sequence[str],
    recorded: Mapping[str, Recorded],
    *,
    final: bool,
    titles: Mapping[str, str],
    retry_after: int,
    data: Mapping[str, bytes],
) -> Snapshot:
    """The snapshot of a request from the answers that count and their `data`, both by connector.

    When `final`, the others are `no_answer`.
    """
    answers: list[Answer] = []
    pending: list[str] = []
    complete = final
    for name in connectors:
        title = titles.get(name, name)
        found = recorded.get(name)
        if found is not None:
            head = found.head
            complete = complete and head.reason is None
            answers.append(
                Answer(
                    connector=name,
                    title=title,
                    reason=head.reason,
                    detail=head.detail,
                    attempts=head.attempts,
                    elapsed=head.elapsed,
                    received=found.received,
                    data=data.get(name),
                )
            )
        elif final:
            complete = False
            answers.append(Answer(connector=name, title=title, reason=Reason.NO_ANSWER, detail="No answer before the deadline"))
        else:
            pending.append(name)
    return Snapshot(
        id=id,
        query=query,
        created=times.created,
        deadline=times.deadline,
        expires=times.expires,
        query_more=not final,
        complete=complete,
        retry_after=0 if final else retry_after,
        answers=answers,
        pending=pending,
        tag=tag_of(connectors, recorded, final=final),
    )


def tag_of(connectors: Sequence[str], answered: Collection[str], *, final: bool) -> str:
    """A short name of (who has answered, whether it is final)."""
    return blake2b(bitmap(connectors, answered) + (b"f" if final else b"m"), digest_size=12).hexdigest()

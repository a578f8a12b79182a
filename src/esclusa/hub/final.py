"""Final is sealed: what a reader has been shown as final is what every reader is shown, for ever.

A request with an answer from everyone, read with no `closing` row there, is final by itself. Otherwise a reader at or
past the deadline adds `closing`; once that is acknowledged it reads again, and adds the seal, put-if-absent, naming the
connectors that it has just read; then it reads once more and shows what the seal in place names. Whoever finds `closing`,
whatever its clock says and even if everyone has answered, shows only by the seal, and adds it if it is missing.

Why the extra row: a reader whose clock is behind may read everyone's answers, and show them as final, at the very moment
at which another adds the seal without the last of them. `closing` comes between the two: read before it, the first reader's
rows are there for the second one's second read; read after it, the first reader goes by the seal.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import msgspec

from esclusa.hub.pack import Recorded, recorded
from esclusa.hub.stored import CLOSING, REQUEST, SEAL, RequestHead, SealHead, decode, encode
from esclusa.kernel.errors import NotFound
from esclusa.ports.records import Row

if TYPE_CHECKING:
    from esclusa.kernel.clock import Clock
    from esclusa.ports.records import Records


class View(msgspec.Struct, frozen=True):
    """A request's rows as of one moment."""

    request: RequestHead
    answers: Mapping[str, Recorded]
    """By connector."""
    closing: bool
    seal: Collection[str] | None
    """Connectors whose answers count; None: no seal in place."""

    @property
    def everyone(self) -> bool:
        """Everyone concerned has answered."""
        return all(name in self.answers for name in self.request.connectors)


async def read_view(records: Records, id: bytes, bodies: bool | Collection[str]) -> View:
    """The request's rows; `bodies` as in the port. `NotFound` when its own is missing: unknown, expired or cancelled.

    `StorageError`, `Unreadable`.
    """
    rows = {row.name: row for row in await records.read(id, bodies)}
    own = rows.pop(REQUEST, None)
    if own is None:
        raise NotFound
    closing = rows.pop(CLOSING, None) is not None
    seal = rows.pop(SEAL, None)
    counted = None if seal is None else frozenset(decode(SealHead, seal.head).connectors)
    return View(decode(RequestHead, own.head), recorded(id, rows.values()), closing, counted)


async def finalise(
    records: Records, clock: Clock, id: bytes, view: View, bodies: bool | Collection[str]
) -> tuple[View, Collection[str] | None]:
    """What to show: a view and the connectors whose answers count; None for these while provisional.

    Adds `closing` and the seal where the rules ask for them. `StorageError` when that is not known to be done: then nothing
    may be shown. `NotFound` when the request has gone meanwhile.
    """
    if view.seal is not None:
        return view, view.seal
    if not view.closing:
        if view.everyone:
            return view, view.answers.keys()
        if clock.millis() < view.request.times.deadline:
            return view, None
        expires = view.request.times.expires
        await records.put(id, [Row(CLOSING, b"", b"", expires)])
    view = await read_view(records, id, bodies=False)
    if view.seal is None:
        names = [name for name in view.request.connectors if name in view.answers]
        await records.add(id, Row(SEAL, encode(SealHead(names)), b"", view.request.times.expires))
    view = await read_view(records, id, bodies)
    if view.seal is None:
        raise NotFound  # cancelled meanwhile: nothing that was written is there
    return view, view.seal

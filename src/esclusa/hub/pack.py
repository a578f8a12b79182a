"""Packs: answers of one request that travel in one message, and stand in one row, together. Pure.

A row bears the name of its message's place in the log, and its rank is the message's offset: so whichever collector writes
it, and however often, it is the same row. Where several packs have an answer of the same connector, the first recorded
wins: that of the lowest offset.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from esclusa.hub.stored import AnswerHead, Answers, PackHead, decode, encode
from esclusa.ports.records import Row


class Pack(msgspec.Struct, frozen=True):
    """The row of one message of answers."""

    name: str
    context: bytes
    """What its data are bound to."""
    size: int
    """Bytes of its data."""
    body: bytes
    """Its data, sealed; empty where there are none, and where only heads have been read."""


class Recorded(msgspec.Struct, frozen=True):
    """One connector's answer as it stands in the records."""

    head: AnswerHead
    received: int
    """When the log took it, in milliseconds since the epoch."""
    pack: Pack
    start: int
    """Where its data begin among those of its pack."""

    def data(self, opened: Mapping[str, bytes]) -> bytes | None:
        """Its data out of those of its pack, by the pack's name; None where there are none, or where they aren't opened."""
        found = opened.get(self.pack.name) if self.head.size else None
        return None if found is None else found[self.start : self.start + self.head.size]


def context(id: bytes, heads: Iterable[AnswerHead]) -> bytes:
    """What the data of a pack of the request `id` are bound to when they are sealed: whose answers they are."""
    return id + "\0".join(head.connector for head in heads).encode()


def row(pool: str, partition: int, offset: int, received: int, answers: Answers) -> Row:
    """The row of a message of `answers` that stands at `offset` of a partition of the pool's answers."""
    head = encode(PackHead(received, answers.heads))
    return Row(f"{pool}/{partition}/{offset}", head, answers.sealed, answers.expires, offset)


def recorded(id: bytes, rows: Iterable[Row]) -> dict[str, Recorded]:
    """By connector: the answers to the request `id` that stand in the rows of its packs. `Unreadable`."""
    found: dict[str, Recorded] = {}
    for each in sorted(rows, key=_place):
        head = decode(PackHead, each.head)
        size = sum(answer.size for answer in head.answers)
        pack = Pack(each.name, context(id, head.answers), size, each.body)
        start = 0
        for answer in head.answers:
            if answer.connector not in found:
                found[answer.connector] = Recorded(answer, head.received, pack, start)
            start += answer.size
    return found


def _place(row: Row) -> tuple[int, str]:
    return row.rank, row.name


def first_packs(answers: Iterable[Recorded], limit: int) -> set[str]:
    """Names of the packs to be read for the data of the first of `answers`: of `limit` bytes at most, but one at least."""
    chosen: set[str] = set()
    size = 0
    for answer in answers:
        pack = answer.pack
        if answer.head.size and pack.name not in chosen:
            size += pack.size
            if chosen and size > limit:
                break
            chosen.add(pack.name)
    return chosen

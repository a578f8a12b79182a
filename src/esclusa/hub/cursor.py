"""How far a reader of events has come: the id of each event says it, so any instance goes on from there. Pure."""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence


def bitmap(connectors: Sequence[str], sent: Collection[str]) -> bytes:
    """One bit a connector of the request's list, the first in the highest bit of the first byte."""
    bits = 0
    for name in connectors:
        bits = bits << 1 | (name in sent)
    size = (len(connectors) + 7) // 8
    return (bits << (size * 8 - len(connectors))).to_bytes(size, "big")


FINAL = "-f"


def event_id(connectors: Sequence[str], sent: Collection[str], *, final: bool) -> str:
    """The id of a server-sent event: which answers the reader has once it has this one, and whether that is all."""
    return base64.urlsafe_b64encode(bitmap(connectors, sent)).rstrip(b"=").decode() + (FINAL if final else "")


def parse_event_id(event: str, connectors: Sequence[str]) -> tuple[set[str], bool]:
    """What a reader has that gives `event` as its last event id: the connectors, and whether it has seen the end.

    An id that is none of ours counts as having nothing.
    """
    text = event.removesuffix(FINAL)
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return set(), False
    size = (len(connectors) + 7) // 8
    if len(raw) != size:
        return set(), False
    bits = int.from_bytes(raw, "big") >> (size * 8 - len(connectors))
    sent = {name for place, name in enumerate(reversed(connectors)) if bits >> place & 1}
    return sent, event.endswith(FINAL)

"""The hub's messages and rows, as they are stored: msgpack arrays.

Fields are only ever added at the end, with a default, so what a newer version wrote is read by what this one knows of it;
`version` is for what can't be said that way: a newer one is unreadable here.
What is personal is inside `sealed`, encrypted by the vault; clear are ids, connector names, times and what became of a
call (state, reason, attempts), which says nothing of a person.
"""

from __future__ import annotations

from functools import cache
from typing import TypeVar

import msgspec

from esclusa.connectors.backend import Reason
from esclusa.kernel.errors import Unreadable

VERSION = 1

REQUEST = "=request"
"""The row of the request itself. No connector's name begins with `=`."""
CLOSING = "=closing"
"""Somebody has seen the deadline pass before everyone had answered."""
SEAL = "=seal"
"""Which answers count, for ever."""
SUBMISSION = "=submission"
"""Under an idempotency key: which request it made."""
ASKED = "=asked"
"""Under an idempotency key: its envelopes are acknowledged."""


class Stored(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One line of the stored format."""


class Versioned(Stored, frozen=True):
    """What says how it is meant."""

    version: int


class Times(Stored, frozen=True):
    """A request's moments, in milliseconds since the epoch; the same in every place that mentions the request."""

    created: int
    call_by: int
    """From here on nothing is called."""
    deadline: int
    """From here on the result is final."""
    expires: int
    """From here on nothing is left."""


class Asked(Stored, frozen=True):
    """What a person asked; only ever stored sealed."""

    caller: str
    query: str
    subject: str
    params: dict[str, str]


class Envelope(Versioned, frozen=True):
    """A request on its way to the connectors of one pool (H3)."""

    id: bytes
    times: Times
    connectors: list[str]
    sealed: bytes
    """`Asked`."""
    allowance: int
    """Bytes of data that the answers to it may have: this pool's share of `[hub] maxRequest`, by its connectors.

    No pool knows what another has used, so each keeps to its share, and the request to the whole: but for one answer of
    `maxAnswer` that even a pool with a small share may give.
    """
    keyed: bool = False
    """It was submitted under an idempotency key, so it may come more than once."""


class AnswerPart(Stored, frozen=True):
    """What one connector says of a request."""

    connector: str
    reason: Reason | None
    """None: OK."""
    detail: str
    attempts: int
    elapsed: int
    """Milliseconds: the call with its retries."""
    sealed: bytes
    """The data, JSON; empty when there are none."""


class Answers(Versioned, frozen=True):
    """Answers of one request that were at hand together; the log's position and the place in here rank them."""

    id: bytes
    expires: int
    parts: list[AnswerPart]


class RequestHead(Versioned, frozen=True):
    """Head of the row `=request`, which has no body: whoever looks needs all of it."""

    times: Times
    connectors: list[str]
    """Everyone concerned, in the order in which answers are shown."""
    asked: bytes
    """`Asked`, sealed."""


class AnswerHead(Stored, frozen=True):
    """Head of the row of one answer; its body is the data, sealed."""

    reason: Reason | None
    detail: str
    attempts: int
    elapsed: int
    received: int
    """When the log took it: the same, whichever collector writes the row."""


class SealHead(Stored, frozen=True):
    """Head of the row `=seal`."""

    connectors: list[str]
    """Those whose answers count."""


class SubmissionHead(Stored, frozen=True):
    """Head of the row `=submission`; its body is the fingerprint of what was submitted, sealed."""

    id: bytes
    times: Times
    connectors: list[str]
    pools: dict[str, list[str]]
    """The connectors by pool, as they were routed first: a repetition asks the same pools, whatever is configured by then."""


class Woken(Stored, frozen=True):
    """On the broadcast topic `wakeups`: requests with new rows, and how many."""

    rows: dict[bytes, int]


class Cancelled(Stored, frozen=True):
    """On the broadcast topic `cancels`."""

    id: bytes
    expires: int


def answer_context(id: bytes, connector: str) -> bytes:
    """What the data of one connector's answer to the request `id` are bound to when they are sealed."""
    return id + connector.encode()


encode = msgspec.msgpack.Encoder().encode
T = TypeVar("T", bound=Stored)


def decode(kind: type[T], stored: bytes) -> T:
    """What `encode` made; `Unreadable` when it is something else, or of a version that this program doesn't know."""
    try:
        found = _decoder(kind).decode(stored)
    except msgspec.MsgspecError as error:
        if issubclass(kind, Versioned) and (version := _version(stored)) > VERSION:
            raise _newer(kind, version) from error
        raise Unreadable(f"not a stored {kind.__name__}: {error}") from error
    if isinstance(found, Versioned) and found.version > VERSION:
        raise _newer(kind, found.version)
    return found  # type: ignore[return-value]  # the cache is by kind


def _version(stored: bytes) -> int:
    """What it says of its version, whatever else has become of its form; 0: nothing."""
    try:
        return msgspec.msgpack.decode(stored, type=Versioned).version
    except msgspec.MsgspecError:
        return 0


def _newer(kind: type[Stored], version: int) -> Unreadable:
    return Unreadable(f"a stored {kind.__name__} of version {version}: this program knows {VERSION}")


@cache
def _decoder(kind: type[Stored]) -> msgspec.msgpack.Decoder[Stored]:
    return msgspec.msgpack.Decoder(kind)

"""The hub's messages and rows, as they are stored: msgpack arrays.

Fields are only ever added at the end, with a default, so what a newer version wrote is read by what this one knows of it;
`version` is for what can't be said that way: a newer one is unreadable here.
What is personal is inside `sealed`, encrypted by the vault; clear are ids, connector names, times and what became of a
call (state, reason, attempts), which says nothing of a person.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from esclusa.connectors.backend import Reason
from esclusa.kernel.errors import Unreadable

VERSION = 1

REQUEST = "=request"
"""The row of the request itself. No pool's name begins with `=`, so no pack's does."""
CLOSING = "=closing"
"""Somebody has seen the deadline pass before everyone had answered."""
SEAL = "=seal"
"""The seal: which answers count, for ever (see `final`). To seal, as a verb, is to encrypt (see `vault`)."""
SUBMISSION = "=submission"
"""Under an idempotency key: which request it made."""
ACKNOWLEDGED = "=asked"
"""Under an idempotency key: its envelopes are acknowledged. The stored word stays."""

# Bounded, so that a message of somebody else's that decodes by chance is unreadable here, and not a fault further on.
RequestId = Annotated[bytes, Meta(min_length=16, max_length=16)]
Moment = Annotated[int, Meta(ge=0, lt=1 << 53)]
"""Milliseconds since the epoch."""


class Stored(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is stored or sent as one msgpack array; its fields stand in the order in which they are declared."""


class Versioned(Stored, frozen=True):
    """What is stored with the version of its form."""

    version: int


class Times(Stored, frozen=True):
    """A request's moments, in milliseconds since the epoch; the same in every place that mentions the request."""

    created: Moment
    call_by: Moment
    """From here on nothing is called."""
    deadline: Moment
    """From here on the result is final."""
    expires: Moment
    """From here on nothing is left."""


class UserQuestion(Stored, frozen=True):
    """What a person asked, and the caller through whom; only ever stored sealed."""

    caller: str
    query: str
    subject: str
    params: dict[str, str]


class Envelope(Versioned, frozen=True):
    """A request on its way to the connectors of one pool (H3)."""

    id: RequestId
    times: Times
    connectors: list[str]
    sealed: bytes
    """`UserQuestion`."""
    allowance: int
    """Bytes of data that the answers to it may have: this pool's share of `[hub] maxRequest`, by its connectors.

    No pool knows what another has used, so each keeps to its share, and the request to the whole: but for one answer of
    `maxAnswer` that even a pool with a small share may give.
    """


class AnswerHead(Stored, frozen=True):
    """What one connector says of a request, less its data."""

    connector: str
    reason: Reason | None
    """None: OK."""
    detail: str
    attempts: int
    elapsed: int
    """Milliseconds: the call with its retries."""
    size: int
    """Bytes of its data, JSON; 0: there are none."""


class Answers(Versioned, frozen=True):
    """A pack: answers of one request that were at hand together, in the order in which they came.

    One without any says nothing of its request: it is the mark by which a process finds the end of the log (`recovery`).
    """

    id: RequestId
    expires: Moment
    heads: list[AnswerHead]
    sealed: bytes
    """The data of all of them, one after another; empty when none has any."""


class RequestHead(Versioned, frozen=True):
    """Head of the row `=request`, which has no body: whoever looks needs all of it."""

    times: Times
    connectors: list[str]
    """Everyone concerned, in the order in which answers are shown."""
    sealed: bytes
    """`UserQuestion`."""


class PackHead(Stored, frozen=True):
    """Head of the row of a pack; its body is the data of its answers, sealed."""

    received: int
    """When the log took it: the same, whichever collector writes the row."""
    answers: list[AnswerHead]


class SealHead(Stored, frozen=True):
    """Head of the row `=seal`."""

    connectors: list[str]
    """Those whose answers count."""


class SubmissionHead(Stored, frozen=True):
    """Head of the row `=submission`; its body is the fingerprint of what was submitted, sealed."""

    id: RequestId
    times: Times
    connectors: list[str]
    pools: dict[str, list[str]]
    """The connectors by pool, as they were routed first: a repetition asks the same pools, whatever is configured by then."""


class Woken(Stored, frozen=True):
    """On the broadcast topic `wakeups`: requests with new rows, and how many."""

    rows: dict[bytes, int]


class Cancelled(Stored, frozen=True):
    """On the broadcast topic `cancels`."""

    id: RequestId
    expires: Moment


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

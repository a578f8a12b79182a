"""What a protocol has to offer to be put under policies: one attempt, bounded in time.

Callbacks instead of coroutines, because a task and a future a call are most of what a call costs. A protocol that is
written as a coroutine is as welcome: `esclusa.connectors.coroutine` turns one into a `Backend`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

import msgspec

TOO_LARGE = "The answer is too large"
"""Detail of an answer beyond a limit."""


class Reason(StrEnum):
    """Why an answer is KO; the contract's words, in this order of the life of a question."""

    REJECTED = "rejected"
    PLATFORM_TIMEOUT = "platform_timeout"
    CIRCUIT_OPEN = "circuit_open"
    BACKEND_TIMEOUT = "backend_timeout"
    BACKEND_ERROR = "backend_error"
    NO_ANSWER = "no_answer"


class Question(msgspec.Struct, frozen=True):
    """What is asked of a back end: in clear, in memory only, for as long as it is being asked."""

    request: str
    """The request's id, a UUID in text: the correlation id of every call."""
    query: str
    subject: str
    """Who it is about; never logged but `masked`."""
    params: dict[str, str]
    """As the query declares them, in text, checked. A date range `period` is `period.from` and `period.to`."""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """How one attempt ended."""

    data: bytes | None = None
    """JSON, when `reason` is None; None: OK, and there is nothing about this subject."""
    reason: Reason | None = None
    """`BACKEND_TIMEOUT` or `BACKEND_ERROR`; None: OK."""
    detail: str = ""
    """Our words for what went wrong, or of OK data is missing, fit for the user's eyes; never the back end's."""
    again: bool = False
    """Another attempt may do better, and asking again is harmless."""
    after: float = 0.0
    """Seconds that the back end asks to be left alone for (`Retry-After`)."""
    failure: bool = False
    """It tells that the back end is not well: the breaker counts it, unless `breaker.counts` says what it counts."""
    cause: str = ""
    """Why there is no answer, for `breaker.counts`: `connection` (none, or it was cut), `answer` (what came can't be used),
    `fault` (it says that it failed), or a status such as `"503"`. A `BACKEND_TIMEOUT` needs none. Empty otherwise: the back
    end was not heard, and the breaker learns nothing."""


_LONGEST = 500
"""Characters of a detail."""
_CAUSE = re.compile(r"(connection|answer|fault|[1-9]\d\d)?", re.ASCII)
_ENDINGS = (None, Reason.BACKEND_TIMEOUT, Reason.BACKEND_ERROR)


def check_json(data: bytes) -> None:
    """`ValueError` for what is not one JSON text in UTF-8. Nothing is made of it."""
    try:
        data.decode()  # a `Raw` is not looked at inside of texts
        msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ValueError("this is no JSON") from None


def checked(made: Outcome, max_answer: int) -> Outcome:
    """What somebody else's code has `made`, if it is what an `Outcome` promises; `ValueError` in words.

    Its types; one of two reasons, or data of at most `max_answer` bytes that are one JSON text; words that can be shown.
    """
    try:
        outcome = msgspec.convert(msgspec.structs.asdict(made), Outcome, builtin_types=(bytes,))
        if outcome.data is not None:
            check_json(outcome.data)
    except (msgspec.MsgspecError, ValueError):
        raise ValueError("The outcome that it returned is none") from None
    told = (
        _CAUSE.fullmatch(outcome.cause)
        and outcome.detail.isprintable()
        and len(outcome.detail) <= _LONGEST
        and 0 <= outcome.after < float("inf")
    )
    if not told or outcome.reason not in _ENDINGS or (outcome.reason and outcome.data is not None):
        raise ValueError("The outcome that it returned is none")
    if outcome.data is not None and len(outcome.data) > max_answer:
        raise ValueError(TOO_LARGE)
    return outcome


Done = Callable[[Outcome], None]
Abort = Callable[[], None]


class Backend(Protocol):
    """One back end, by one protocol, without policies."""

    @property
    def idempotent(self) -> bool:
        """Whether an attempt may be cut or made again without harm."""

    def ask(self, question: Question, by: float, done: Done) -> Abort:
        """Make one attempt that ends by `by` (seconds since the epoch).

        `done` is called once, after this returned, never with an exception; it is not called after the abort that
        this returns.
        """

    async def close(self) -> None:
        """Let go of connections; what is in flight ends with `BACKEND_ERROR`."""

"""What an HTTP call that brought no answer, or a refusal, means for the question; and when to come back.

The breaker counts what tells of the back end's health: no connection, no answer in time, what is no HTTP, 5xx and 429.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from esclusa.connectors.backend import TOO_LARGE, Outcome, Reason
from esclusa.connectors.transport import HttpError, Response
from esclusa.kernel.errors import HttpErrorKind

_WORDS: Mapping[HttpErrorKind, str] = {
    "token": "There is no token to show it",
    "busy": "Too many calls of it are waiting",
    "resolve": "Its address is not known",
    "connect": "It can't be reached",
    "tls": "There is no secure connection with it",
    "timeout": "No answer in time",
    "closed": "It closed the connection before it had answered",
    "protocol": "What it answered is not HTTP",
    "too_large": TOO_LARGE,
    "aborted": "The call was given up",
}
_SPECIFIC = ("token", "connect", "tls", "protocol")
"""Where what happened exactly says more, and nothing of where the back end is."""
_OURS = ("busy", "too_large", "aborted")
"""What says nothing of the back end's health."""
_FINAL = ("too_large", "aborted")
"""What another attempt would not change."""
_CAUSES: Mapping[HttpErrorKind, str] = {"busy": "", "aborted": "", "protocol": "answer", "too_large": "answer"}
_DAY = 86_400.0
"""Seconds: whoever asks to be left alone for longer has said enough."""
_TOO_MANY_REQUESTS = 429
_NOT_MODIFIED = 304
_REQUEST_TIMEOUT = 408


def unanswered(error: HttpError, *, idempotent: bool) -> Outcome:
    """The outcome of an attempt that ended so. `idempotent`: it may be made again without harm."""
    kind = error.kind
    reason = Reason.BACKEND_TIMEOUT if kind == "timeout" else Reason.BACKEND_ERROR
    detail = f"{_WORDS[kind]}: {error.detail}" if kind in _SPECIFIC else _WORDS[kind]
    again = (idempotent or not error.sent) and kind not in _FINAL
    return Outcome(reason=reason, detail=detail, again=again, failure=kind not in _OURS, cause=_CAUSES.get(kind, "connection"))


def refused(response: Response, now: float, *, idempotent: bool) -> Outcome:
    """The outcome of an attempt that was answered with a status that is an error, at `now`. `idempotent`: as in `unanswered`."""
    status = response.status
    detail = f"It answered with status {status}"
    if status // 100 == 3 and status != _NOT_MODIFIED:  # noqa: PLR2004 - a class of statuses
        detail = f"It answered with a redirect ({status}), which is not followed"
    sick = status >= 500 or status == _TOO_MANY_REQUESTS  # noqa: PLR2004 - a class of statuses
    again = idempotent and (sick or status == _REQUEST_TIMEOUT)
    after = seconds_until(response.header(b"retry-after"), now) if again else 0.0
    return Outcome(reason=Reason.BACKEND_ERROR, detail=detail, again=again, after=after, failure=sick, cause=str(status))


def seconds_until(retry_after: bytes | None, now: float) -> float:
    """What `Retry-After` says, in seconds from `now`: a number of them, or a date (RFC 9110, 10.2.3), at most a day; 0: nothing."""
    if retry_after is None:
        return 0.0
    text = retry_after.decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _DAY)
    try:
        when = parsedate_to_datetime(text)
        return min(max(0.0, (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now), _DAY)
    except (ValueError, OverflowError):
        return 0.0

"""What an HTTP call ended with, as the outcome of an attempt: which statuses are OK, what is JSON, what is harmless to repeat.

The breaker counts what tells of the back end's health: no connection, no answer in time, 5xx, 429, and what is no
answer by its own protocol. A 4xx says that the back end is there.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Literal

import msgspec

from esclusa.connectors.backend import TOO_LARGE, Outcome, Reason
from esclusa.connectors.http.endings import seconds_until, unanswered
from esclusa.connectors.rest.settings import RestSettings
from esclusa.connectors.transform import Transform
from esclusa.connectors.transport import HttpError, Response
from esclusa.kernel.clock import Clock

Kind = Literal["ok", "empty", "error"]

_EMPTY = Outcome()
_TOO_LARGE = Outcome(reason=Reason.BACKEND_ERROR, detail=TOO_LARGE)
_TOO_MANY_REQUESTS = 429
_REQUEST_TIMEOUT = 408
_BODILESS = (204, 205)
_UTF8 = (None, "utf-8", "utf8", "us-ascii", "ascii")
_CHARSETS = ("ascii", "cp", "iso8859", "utf-8", "utf-16", "utf-32")
"""Python knows more, some of them no charsets and some slow."""


class Outcomes:
    """Reads the answers of one connector. Never raises, whatever came."""

    def __init__(
        self, settings: RestSettings, transform: Transform | None, max_answer: int, clock: Clock, *, idempotent: bool
    ) -> None:
        """`max_answer`: bytes of JSON beyond which an answer is too large; `idempotent`: it may be asked again without harm."""
        self._kinds = kinds(settings.statuses)
        self._bodiless = settings.method == "HEAD"
        self._transform = transform
        self._max_answer = max_answer
        self._clock = clock
        self._idempotent = idempotent
        self._garbage = Outcome(
            reason=Reason.BACKEND_ERROR, detail="What it answered is not JSON", again=idempotent, failure=True
        )

    def read(self, ending: Response | HttpError) -> Outcome:
        """The outcome of an attempt that ended so."""
        if isinstance(ending, HttpError):
            return unanswered(ending, idempotent=self._idempotent)
        kind = self._kinds.get(ending.status, "error")
        if kind == "error":
            return self._refused(ending)
        if kind == "empty" or self._bodiless:
            return _EMPTY
        return self._data(ending)

    def _data(self, response: Response) -> Outcome:
        try:
            body = utf8(response.body, response.charset)
            if self._transform is None:
                msgspec.json.decode(body, type=msgspec.Raw)
        except (ValueError, LookupError, RecursionError):  # msgspec's errors are ValueErrors
            return self._garbage
        data: bytes | None = body
        if self._transform is not None:
            try:
                data = self._transform(body)
            except (msgspec.DecodeError, RecursionError):
                return self._garbage
            except Exception:  # noqa: BLE001 - it is the user's, and the answer may be like none that it was written for
                return Outcome(reason=Reason.BACKEND_ERROR, detail="What it answered can't be transformed")
        if data is None:
            return _EMPTY
        return Outcome(data=data) if len(data) <= self._max_answer else _TOO_LARGE

    def _refused(self, response: Response) -> Outcome:
        status = response.status
        detail = f"It answered with status {status}"
        if status // 100 == 3:  # noqa: PLR2004 - a class of statuses
            detail = f"It answered with a redirect ({status}), which is not followed"
        sick = status >= 500 or status == _TOO_MANY_REQUESTS  # noqa: PLR2004 - a class of statuses
        again = self._idempotent and (sick or status == _REQUEST_TIMEOUT)
        after = seconds_until(response.header(b"retry-after"), self._clock.now()) if again else 0.0
        return Outcome(reason=Reason.BACKEND_ERROR, detail=detail, again=again, after=after, failure=sick)


def kinds(statuses: Mapping[str, Kind]) -> dict[int, Kind]:
    """What each status means; those that are not in it are errors. A status counts more than its class (`"4xx"`)."""
    table: dict[int, Kind] = dict.fromkeys(range(200, 300), "ok")
    table |= dict.fromkeys(_BODILESS, "empty")
    for name, kind in sorted(statuses.items(), key=lambda item: not item[0].endswith("xx")):
        if name.endswith("xx"):
            table |= dict.fromkeys(range(int(name[0]) * 100, int(name[0]) * 100 + 100), kind)
        else:
            table[int(name)] = kind
    return table


def utf8(body: bytes, charset: str | None) -> bytes:
    """`body` in UTF-8, without a byte order mark; from UTF-8 itself the same bytes. `ValueError`, `LookupError`."""
    if charset in _UTF8:
        if not body.isascii():
            body = body.removeprefix(codecs.BOM_UTF8)
            body.decode()
        return body
    name = codecs.lookup(charset).name
    if not name.startswith(_CHARSETS):
        raise LookupError(charset)
    return body.decode(name).removeprefix("\ufeff").encode()

"""What an HTTP call ended with, as the outcome of an attempt: which statuses are OK, what can be read, what is harmless to repeat.

The breaker counts what tells of the back end's health: no connection, no answer in time, 5xx, 429, and what is no
answer by its own protocol. A 4xx says that the back end is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from esclusa.connectors.backend import TOO_LARGE, Outcome, Reason
from esclusa.connectors.http.endings import refused, unanswered
from esclusa.connectors.rest.content import content_of
from esclusa.connectors.rest.settings import RestSettings
from esclusa.connectors.transform import Transform
from esclusa.connectors.transport import HttpError, Response
from esclusa.kernel.clock import Clock

Kind = Literal["ok", "empty", "error"]

_EMPTY = Outcome()
_TOO_LARGE = Outcome(reason=Reason.BACKEND_ERROR, detail=TOO_LARGE, cause="answer")
_BODILESS = (204, 205)
_FORMATS = {"json": "JSON", "xml": "XML that can be read", "text": "text in a known charset"}


class Outcomes:
    """Reads the answers of one connector. Never raises, whatever came."""

    def __init__(
        self, settings: RestSettings, transform: Transform | None, max_answer: int, clock: Clock, *, idempotent: bool
    ) -> None:
        """`max_answer`: bytes of JSON beyond which an answer is too large; `idempotent`: it may be asked again without harm."""
        self._kinds = kinds(settings.statuses)
        self._content = content_of(settings)
        self._bodiless = settings.method == "HEAD"
        self._transform = transform
        self._max_answer = max_answer
        self._clock = clock
        self._idempotent = idempotent
        self.garbage = Outcome(
            reason=Reason.BACKEND_ERROR,
            detail=f"What it answered is not {_FORMATS[settings.accepts]}",
            again=idempotent,
            failure=True,
            cause="answer",
        )
        """Of an answer that can't be read."""

    def read(self, ending: Response | HttpError) -> Outcome:
        """The outcome of an attempt that ended so."""
        said = self.said(ending)
        return said if isinstance(said, Outcome) else self.shaped(said)

    def said(self, ending: Response | HttpError) -> bytes | Outcome:
        """The JSON in an answer, not looked at yet; an outcome when it has none."""
        if isinstance(ending, HttpError):
            return unanswered(ending, idempotent=self._idempotent)
        kind = self._kinds.get(ending.status, "error")
        if kind == "error":
            return refused(ending, self._clock.now(), idempotent=self._idempotent)
        if kind == "empty" or self._bodiless:
            return _EMPTY
        try:
            return self._content(ending.body, ending.charset)
        except (ValueError, LookupError):
            return self.garbage

    def shaped(self, said: bytes) -> Outcome:
        """The outcome of an attempt that brought this JSON, if it is some."""
        data: bytes | None = said
        try:
            if self._transform is None:
                msgspec.json.decode(said, type=msgspec.Raw)
            else:
                data = self._transform(said)
        except (msgspec.DecodeError, RecursionError):
            return self.garbage
        except Exception:  # noqa: BLE001 - it is the user's, and the answer may be like none that it was written for
            return Outcome(reason=Reason.BACKEND_ERROR, detail="What it answered can't be transformed", cause="answer")
        if data is None:
            return _EMPTY
        return Outcome(data=data) if len(data) <= self._max_answer else _TOO_LARGE


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

"""What a SOAP call ended with, as the outcome of an attempt."""

from __future__ import annotations

import msgspec
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it is compiled, and has no types

from esclusa.connectors.backend import TOO_LARGE, Outcome, Reason
from esclusa.connectors.http.endings import refused, unanswered
from esclusa.connectors.soap.data import plain
from esclusa.connectors.soap.description import Description
from esclusa.connectors.soap.faults import body_of, fault_of
from esclusa.connectors.soap.settings import SoapSettings
from esclusa.connectors.soap.xml import UnsafeXml, expanded, parsed
from esclusa.connectors.transform import Transform
from esclusa.connectors.transport import HttpError, Response
from esclusa.kernel.clock import Clock

_EMPTY = Outcome()
_ANOTHER = "What it answered is not what its WSDL says"
_EXPANDED = 8
"""Times of `max_answer` that references in an answer may make of it."""
_TOO_LARGE = Outcome(reason=Reason.BACKEND_ERROR, detail=TOO_LARGE, cause="answer")


class Costly(Exception):
    """To read this answer takes longer than its caller has."""


class Outcomes:
    """Reads the answers of one connector. Never raises, whatever came."""

    def __init__(
        self, settings: SoapSettings, description: Description, transform: Transform | None, max_answer: int, clock: Clock
    ) -> None:
        """`max_answer`: bytes of JSON beyond which an answer is too large."""
        self._operation = description.operation
        self._answered = description.answered
        self._version = description.envelope
        self._empty = settings.empty
        self._transform = transform
        self._max_answer = max_answer
        self._clock = clock
        self._idempotent = settings.idempotent

    def said(self, ending: Response | HttpError, light: int | None = None) -> bytes | Outcome:
        """The JSON of an answer; an outcome when it has none. What takes long: it may be done in any thread.

        `light`: bytes beyond which what references make of it is too much to be read here, which is `Costly`.
        """
        if isinstance(ending, HttpError):
            return unanswered(ending, idempotent=self._idempotent)
        succeeded = ending.status // 100 == 2  # noqa: PLR2004 - a class of statuses
        one_way = succeeded and not self._operation.output
        if one_way and not ending.body:
            return _EMPTY
        try:
            body = body_of(parsed(ending.body, ending.charset))
        except UnsafeXml:
            body = None
        fault = None if body is None else fault_of(body)
        if fault is not None:
            return fault.outcome(self._empty, idempotent=self._idempotent)
        if not succeeded:
            return refused(ending, self._clock.now(), idempotent=self._idempotent)
        if one_way:
            return _EMPTY
        return self._garbage("What it answered is not SOAP") if body is None else self._data(body, light)

    def shaped(self, said: bytes) -> Outcome:
        """The outcome of an attempt that brought this JSON."""
        data: bytes | None = said
        if self._transform is not None:
            try:
                data = self._transform(said)
            except Exception:  # noqa: BLE001 - it is the user's, and the answer may be like none that it was written for
                return Outcome(reason=Reason.BACKEND_ERROR, detail="What it answered can't be transformed", cause="answer")
        if data is None:
            return _EMPTY
        return Outcome(data=data) if len(data) <= self._max_answer else _TOO_LARGE

    def _data(self, body: etree._Element, light: int | None) -> bytes | Outcome:
        envelope = body.getparent()
        if not envelope.tag.startswith(f"{{{self._version}}}"):
            return self._garbage("What it answered is another version of SOAP")
        if self._answered is not None and body.find(self._answered) is None:
            return self._garbage(_ANOTHER)
        try:
            self._weigh(body, light)
            data = plain(self._operation.process_reply(envelope))
            encoded = msgspec.json.encode(data)
        except Costly:
            raise
        except Exception:  # noqa: BLE001 - zeep raises whatever an answer of another shape leads to
            return self._garbage(_ANOTHER)
        return _EMPTY if data is None else encoded

    def _weigh(self, body: etree._Element, light: int | None) -> None:
        size = expanded(body, _EXPANDED * self._max_answer)
        if light is not None and size > light:
            raise Costly

    def _garbage(self, detail: str) -> Outcome:
        return Outcome(reason=Reason.BACKEND_ERROR, detail=detail, again=self._idempotent, failure=True, cause="answer")

"""`protocol = "tcp"`: a question as one message, its answer as the next one on the same connection."""

from __future__ import annotations

import asyncio
import codecs
import unicodedata
from collections.abc import Callable
from functools import partial

from esclusa.connectors.backend import TOO_LARGE, Backend, Outcome, Question, Reason
from esclusa.connectors.coroutine import CoroutineBackend
from esclusa.connectors.faults import Check
from esclusa.connectors.http.settings import TlsSettings
from esclusa.connectors.protocol import ConnectorProtocol, Workshop
from esclusa.connectors.settings import CertificateCredentials, CredentialsSettings
from esclusa.connectors.tap import Tap
from esclusa.connectors.tcp.answer import Answers
from esclusa.connectors.tcp.connection import Connection
from esclusa.connectors.tcp.framing import Frame, frame_of
from esclusa.connectors.tcp.pool import Pool
from esclusa.connectors.tcp.settings import CloseSettings, TcpSettings
from esclusa.connectors.template import Template
from esclusa.connectors.transform import Transform
from esclusa.connectors.transport import HttpError, Origin
from esclusa.connectors.transport.dialler import Dialler
from esclusa.connectors.transport.resolver import Resolver, system_lookup
from esclusa.kernel.clock import Clock

_HIGHEST_PORT = 65_535
_WORDS = {
    "resolve": "Its address is not known",
    "connect": "It can't be reached",
    "tls": "There is no secure connection with it",
    "closed": "It closed the connection before it had answered",
    "protocol": "What it answered is no message",
    "too_large": TOO_LARGE,
}
_OVERHEAD = 16
"""Bytes that a frame may have beside its message."""
_ANOTHER = Outcome(reason=Reason.BACKEND_ERROR, detail="What it answered has another form", failure=True, cause="answer")
_UNSHAPED = Outcome(reason=Reason.BACKEND_ERROR, detail="What it answered can't be transformed", cause="answer")
_TOO_LARGE = Outcome(reason=Reason.BACKEND_ERROR, detail=TOO_LARGE, cause="answer")


class Caller:
    """Asks one back end; a connection that is free serves the next call."""

    def __init__(
        self,
        settings: TcpSettings,
        frame: Frame,
        dial: Callable[[], Connection],
        dialler: Dialler,
        transform: Transform | None,
        max_answer: int,
        clock: Clock,
        tap: Tap | None = None,
    ) -> None:
        """`tap`: told each message that goes out, and each that comes."""
        self._tap = tap
        self._template = request_of(settings)
        self._encoding = settings.encoding
        self._answers = Answers(settings.answer, settings.empty)
        self._frame = frame
        self._make = dial
        self._dialler = dialler
        self._transform = transform
        self._max_answer = max_answer
        self._idempotent = settings.idempotent
        self._pool = Pool(clock, keep=settings.keep and not isinstance(settings.frame, CloseSettings))

    async def ask(self, question: Question, _: float) -> Outcome:
        """One attempt, for as long as it takes: whoever awaits this gives it up in time."""
        try:
            message = self._frame.wrap((self._template.fill(question) or "").encode(self._encoding))
        except UnicodeError:
            return _refused("a value has characters that can't be sent")
        except ValueError as error:
            return _refused(str(error))
        if self._tap is not None:
            self._tap.saw("request", "", message, self._encoding)
        try:
            answer = await self._call(message)
        except HttpError as error:
            return self._failed(error)
        if self._tap is not None:
            self._tap.saw("answer", "", answer, self._encoding)
        return self._read(answer)

    async def close(self) -> None:
        """Let go of the connections that nobody uses."""
        self._pool.close()

    async def _call(self, message: bytes) -> bytes:
        connection = self._pool.take() or await self._dialled()
        fresh = connection.fresh
        try:
            answer = await self._carried(connection, message)
        except HttpError as error:
            # It may have been closed at its other end while nobody used it, in the very moment of the call.
            if fresh or not self._idempotent or connection.heard or error.kind != "closed":
                raise
            connection = await self._dialled()
            answer = await self._carried(connection, message)
        self._pool.give(connection)
        return answer

    async def _dialled(self) -> Connection:
        try:
            return await self._dialler.dial(self._make)
        except HttpError as error:
            self._missed(error)
            raise
        except asyncio.CancelledError:
            self._missed(HttpError("timeout", "no connection was made in time"))
            raise

    async def _carried(self, connection: Connection, message: bytes) -> bytes:
        try:
            return await connection.call(message)
        except HttpError as error:
            self._missed(error, connection)
            raise
        except asyncio.CancelledError:
            self._missed(HttpError("timeout", "no whole answer came in time", sent=True), connection)
            raise

    def _missed(self, error: HttpError, connection: Connection | None = None) -> None:
        if self._tap is not None:
            self._tap.missed(error, b"" if connection is None else connection.received, self._encoding)

    def _read(self, answer: bytes) -> Outcome:
        try:
            data = self._answers.data(answer.decode(self._encoding))
        except Exception:  # noqa: BLE001 - it is a stranger's answer, and the function that reads it the user's
            return _ANOTHER
        if data is not None and self._transform is not None:
            try:
                data = self._transform(data)
            except Exception:  # noqa: BLE001 - as above
                return _UNSHAPED
        return Outcome(data=data) if data is None or len(data) <= self._max_answer else _TOO_LARGE

    def _failed(self, error: HttpError) -> Outcome:
        detail = f"{_WORDS[error.kind]}: {error.detail}" if error.kind in ("connect", "tls", "protocol") else _WORDS[error.kind]
        again = (self._idempotent or not error.sent) and error.kind != "too_large"
        cause = "answer" if error.kind in ("protocol", "too_large") else "connection"
        return Outcome(reason=Reason.BACKEND_ERROR, detail=detail, again=again, failure=error.kind != "too_large", cause=cause)


def request_of(settings: TcpSettings) -> Template:
    """The request, in which values are checked. `ValueError` for placeholders that are none."""
    reserved = frozenset(settings.reserved)

    def value(text: str) -> str:
        if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") or character in reserved for character in text):
            raise ValueError("a value has characters that mean something there")
        return text

    return Template(settings.request, value, absent="")


def _refused(why: str) -> Outcome:
    return Outcome(reason=Reason.BACKEND_ERROR, detail=f"It can't be asked this: {why}")


def _make(name: str, settings: TcpSettings, credentials: CredentialsSettings | None, workshop: Workshop) -> Backend:
    origin = _origin(settings)
    tls = workshop.contexts.trusting(name, settings, settings.tls, credentials) if settings.secure else None
    resolver = Resolver(origin.host, workshop.clock, system_lookup)
    dialler = Dialler(origin, workshop.clock, resolver, tls=tls, name=settings.tls.name or origin.host, allow=None)
    frame = frame_of(settings.frame, settings.encoding, workshop.max_answer)
    transform = workshop.transform(settings)
    caller = Caller(
        settings,
        frame,
        partial(Connection, frame, workshop.max_answer + _OVERHEAD),
        dialler,
        transform,
        workshop.max_answer,
        workshop.clock,
        workshop.tap,
    )
    return CoroutineBackend(
        caller.ask, workshop.clock, idempotent=settings.idempotent, concurrency=settings.concurrency, close=caller.close
    )


def _checks(name: str, settings: TcpSettings, credentials: CredentialsSettings | None) -> list[Check]:
    here = ("connectors", name)
    return [
        ((*here, "host"), partial(_origin, settings)),
        ((*here, "port"), partial(_port, settings)),
        ((*here, "encoding"), partial(_encoding, settings)),
        ((*here, "request"), partial(request_of, settings)),
        ((*here, "frame"), partial(_frame, settings)),
        ((*here, "answer"), partial(Answers, settings.answer, ())),
        ((*here, "empty"), partial(Answers, None, settings.empty)),
        ((*here, "tls"), partial(_tls, settings)),
        ((*here, "credentials"), partial(_credentials, settings, credentials)),
    ]


def _origin(settings: TcpSettings) -> Origin:
    return Origin("http", settings.host.lower(), min(settings.port, _HIGHEST_PORT))


def _port(settings: TcpSettings) -> None:
    if settings.port > _HIGHEST_PORT:
        raise ValueError(f"this is no port: 1 to {_HIGHEST_PORT}")


def _is_charset(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding  # noqa: SLF001 - nothing public tells them apart
    except LookupError:
        return False


def _frame(settings: TcpSettings) -> None:
    try:
        frame_of(settings.frame, settings.encoding if _is_charset(settings.encoding) else "utf-8", 0)
    except UnicodeError:
        raise ValueError(f"this can't be written in {settings.encoding}") from None


def _encoding(settings: TcpSettings) -> None:
    if not _is_charset(settings.encoding):
        raise ValueError('this is no charset that Python knows: write "utf-8", "latin-1", "cp037" or another')
    if isinstance(settings.frame, CloseSettings):
        return
    " ".encode(settings.encoding)


def _tls(settings: TcpSettings) -> None:
    if settings.tls != TlsSettings() and not settings.secure:
        raise ValueError("no TLS is spoken, and there is no certificate to check: add secure = true")


def _credentials(settings: TcpSettings, credentials: CredentialsSettings | None) -> None:
    if settings.credentials is None:
        return
    if credentials is not None and not isinstance(credentials, CertificateCredentials):
        raise ValueError("over TCP only a certificate can be shown: write a password into the request")
    if not settings.secure:
        raise ValueError("no TLS is spoken, and no certificate can be shown: add secure = true")


TCP = ConnectorProtocol(TcpSettings, _checks, _make)
"""Framed TCP."""

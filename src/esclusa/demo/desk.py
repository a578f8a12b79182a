"""One public body at work: an HTTP server on a port of its own that behaves as its temper has it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import Awaitable
from datetime import UTC, date, datetime
from typing import Literal, TypeVar

import msgspec

from esclusa.demo.bodies import Body, Temper
from esclusa.demo.hosts import NOTHING, WRONG, Host
from esclusa.demo.http11 import MAX_HEAD, BadRequest, Call, Reply, read_call
from esclusa.demo.lives import person
from esclusa.demo.people import Period
from esclusa.demo.soap import wsdl
from esclusa.demo.state import JSON
from esclusa.kernel.clock import Clock
from esclusa.kernel.lifecycle import Background

T = TypeVar("T")
HOST = "127.0.0.1"
FLAP = 10.0
"""Seconds that a flapping body is up, and then down."""
_CONNECTIONS = 256
"""That one body holds at a time; more are closed at once."""
_PATIENCE = 120.0
"""Seconds after which a body closes a connection on which nothing happens."""
_HTML = "text/html; charset=utf-8"
_PAGE = '<!DOCTYPE html><html lang="es"><title>{0}</title><h1>{0}</h1><p>Disculpen las molestias.</p></html>'
_PAGES = {
    Temper.FAILING: Reply(500, _PAGE.format("Error interno del servidor").encode(), _HTML),
    Temper.GARBAGE: Reply(200, _PAGE.format("Sede electrónica en obras").encode(), _HTML),
}
"""What bodies say that don't get so far as to answer."""


class Desk:
    """Answers for `body` on `port`, which is known once it is open."""

    def __init__(self, body: Body, clock: Clock, background: Background) -> None:
        self.body = body
        self.port = 0
        self._clock = clock
        self._background = background
        self._opened = 0.0
        self._calls = 0
        self._connections = 0
        self._places = asyncio.Semaphore(body.places)
        self._path = re.compile(re.escape(body.path).replace(r"\{nif\}", "(?P<nif>[^/]+)"))
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None

    async def open(self, port: int) -> None:
        """Take the port (0: any free one) and, unless the body is down, listen on it. `OSError` if it is taken."""
        down = self.body.temper is Temper.DOWN  # bound and deaf: the port is its own, and connections are refused
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, not down)
        self._socket.bind((HOST, port))
        self.port = self._socket.getsockname()[1]
        self._opened = self._clock.now()
        if not down:
            self._server = await asyncio.start_server(self._greet, sock=self._socket, limit=MAX_HEAD)

    def close(self) -> None:
        """Take no more connections and let the port go."""
        if self._server is not None:
            self._server.close()
        if self._socket is not None:
            self._socket.close()

    def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._connections >= _CONNECTIONS:
            writer.transport.abort()
            return
        self._background.spawn(self.body.name, self._serve(reader, writer))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the calls of one connection in turn, until either side has had enough."""
        self._connections += 1
        try:
            with contextlib.suppress(BadRequest, ConnectionError, TimeoutError):
                if self.body.host is not None:
                    await self._converse(self.body.host, reader, writer)
                    return
                while call := await self._patiently(read_call(reader)):
                    if self._cuts():
                        return
                    if self.body.temper is Temper.HUNG:
                        await self._patiently(reader.read(1))
                        return
                    reply = await self.reply(call)
                    writer.write(reply.to(call))
                    await self._patiently(writer.drain())
                    if call.last:
                        writer.close()
                        await self._patiently(writer.wait_closed())
        finally:
            self._connections -= 1
            writer.transport.abort()

    async def _converse(self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The same with texts."""
        while (asked := await self._patiently(host.read(reader))) is not None:
            writer.write(host.wire(await self.say(host, asked)))
            await self._patiently(writer.drain())

    async def say(self, host: Host, asked: str) -> str:
        """What the body says to one text, after the time that it takes."""
        subject = host.subject(asked)
        if subject is None:
            return WRONG
        await self._work(subject)
        said = self._known(subject, Period())
        return NOTHING if said is None else host.said(said)

    async def _patiently(self, what: Awaitable[T]) -> T:
        async with self._clock.timeout_at(self._clock.now() + _PATIENCE):
            return await what

    def _cuts(self) -> bool:
        """The body is having one of its bad ten seconds."""
        return self.body.temper is Temper.FLAPPING and int((self._clock.now() - self._opened) / FLAP) % 2 == 1

    async def reply(self, call: Call) -> Reply:
        """What the body says to one call, after the time that it takes."""
        if self.body.soap is not None and call.method == "GET":
            return wsdl(self.body.name, f"http://{HOST}:{self.port}{self.body.path}")
        try:
            subject, period = self._question(call)
        except ValueError as wrong:
            return self._refusal(400, str(wrong))
        if self.body.secret is not None and call.headers.get(self.body.secret[0]) != self.body.secret[1]:
            return self._refusal(401, "credenciales no válidas")
        self._calls += 1
        fails = self.body.temper is Temper.MOODY and self._calls % 2 == 1
        await self._work(subject)
        if fails:
            return self._refusal(503, "servicio no disponible")
        return _PAGES.get(self.body.temper) or self._answer(subject, period)

    async def _work(self, subject: str) -> None:
        async with self._places:
            await self._clock.sleep(self.body.delay(subject))

    def _question(self, call: Call) -> tuple[str, Period]:
        """Whom and which period a call is about; `ValueError` in words when it doesn't say."""
        found = self._path.fullmatch(call.path)
        if found is None:
            raise ValueError("no existe tal servicio")
        values: dict[str, str] = call.query | found.groupdict()
        if self.body.soap is not None:
            values = self.body.soap.question(call.body)
        elif call.method == "POST":
            values |= msgspec.json.decode(call.body, type=dict[str, str])  # what is wrong with it is a ValueError too
        subject = values.get("nif", "")
        if not subject.isalnum():
            raise ValueError("falta el NIF")
        since, until = values.get("desde"), values.get("hasta")
        return subject, Period(
            date.fromisoformat(since) if since else date.min, date.fromisoformat(until) if until else date.max
        )

    def _answer(self, subject: str, period: Period) -> Reply:
        said = self._known(subject, period)
        if said is None:
            return self._refusal(404, "no constan datos")
        if self.body.soap is not None:
            return self.body.soap.answer(said)
        if self.body.charset == "utf-8":
            return Reply(200, msgspec.json.encode(said))
        content = msgspec.json.encode(said).decode().encode(self.body.charset)
        return Reply(200, content, f"application/json; charset={self.body.charset}")

    def _known(self, subject: str, period: Period) -> JSON | None:
        """The JSON of what it has on file; None: nothing."""
        who = person(subject, datetime.fromtimestamp(self._clock.now(), UTC).date())
        return None if who is None or self.body.answer is None else self.body.answer(who, period)

    def _refusal(self, status: int, message: str) -> Reply:
        if self.body.soap is not None:
            whose: Literal["caller", "service"] = "service" if status >= 500 else "caller"  # noqa: PLR2004 - a class of statuses
            return self.body.soap.fault(whose, message, "SinDatos" if status == 404 else "")  # noqa: PLR2004 - not found
        return Reply(status, msgspec.json.encode({"error": {"codigo": status, "mensaje": message}}))

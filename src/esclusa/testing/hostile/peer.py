"""One connection, as a hostile back end sees it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from esclusa.kernel.clock import Clock

T = TypeVar("T")
_PIECE = 65_536
_LENGTH = b"content-length:"
_END_OF_HEAD = b"\r\n\r\n"


def answer(body: bytes = b"", status: bytes = b"200 OK", *lines: bytes) -> bytes:
    """A whole answer of HTTP with its length, and further header `lines`."""
    head = [b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *lines]
    return b"\r\n".join(head) + _END_OF_HEAD + body


class Peer:
    """What a script may do to whoever has connected. Whatever it does ends with `OSError` once the connection has."""

    def __init__(
        self,
        number: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        body: bytes,
        content_type: str,
        raw: bool,
    ) -> None:
        """`body`: what one in good health would answer; `raw`: as it is, and for whatever comes, instead of over HTTP."""
        self.number = number
        """0 for the first that was accepted."""
        self.body = body
        self.room: int | None = None
        """Bytes that still get out, of TLS as of what is inside; the one after them ends the script. None: all do."""
        self._type = b"content-type: " + content_type.encode()
        self._raw = raw
        self._reader = reader
        self._writer = writer
        self._received = b""
        self._clock = Clock()
        # TLS is done here, and not by the event loop: that would not see what has come before it was told to.
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()

    @property
    def protocol(self) -> str | None:
        """What was agreed on by ALPN; None without TLS, too."""
        return None if self._tls is None else self._tls.selected_alpn_protocol()

    def answer(self, body: bytes | None = None, status: bytes = b"200 OK", *lines: bytes) -> bytes:
        """As the function of this name, with the content type, and with the good body unless given; raw: the body alone."""
        body = self.body if body is None else body
        return body if self._raw else answer(body, status, self._type, *lines)

    async def head(self) -> bytes:
        """The next request of HTTP up to where its body begins; empty when the client has closed the connection."""
        while _END_OF_HEAD not in self._received:
            if not await self._receive():
                return b""
        return self._taken(self._received.index(_END_OF_HEAD) + len(_END_OF_HEAD))

    async def request(self) -> bytes:
        """The next request of HTTP, whole; raw: whatever comes next. Empty when the client has closed the connection."""
        if self._raw:
            return await self.some()
        head = await self.head()
        lines = head.lower().split(b"\r\n")
        length = next((int(line.removeprefix(_LENGTH)) for line in lines if line.startswith(_LENGTH)), 0)
        while len(self._received) < length:
            if not await self._receive():
                return b""
        return head + self._taken(length)

    async def some(self) -> bytes:
        """Whatever comes next; empty when the client has closed the connection."""
        return self._taken(_PIECE) if self._received or await self._receive() else b""

    async def send(self, data: bytes) -> None:
        """Send these bytes, as fast as the client takes them."""
        if self._tls is not None:
            self._tls.write(data)
            data = self._outgoing.read()
        await self._put(data)

    async def secure(self, context: ssl.SSLContext) -> None:
        """Set TLS up; `OSError` when the client does not want it."""
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._incoming.write(self._taken(len(self._received)))
        await self._done(self._tls.do_handshake)

    async def rest(self, seconds: float) -> None:
        """Do nothing for a while."""
        await self._clock.sleep(seconds)

    def cut(self) -> None:
        """Send no more; TLS is told nothing of it. What comes can be read only as it is on the wire."""
        self._tls = None
        self._check_open()
        self._writer.write_eof()

    def reset(self) -> None:
        """Close with a reset."""
        self._tls = None
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the client has closed the connection."""
        with suppress(OSError):
            while await self.some():
                pass

    async def end(self) -> None:
        """Close in order, and tell TLS so."""
        with suppress(OSError):
            if self._tls is not None:
                with suppress(ssl.SSLError):  # the client's own farewell is not waited for
                    self._tls.unwrap()
                await self._put(self._outgoing.read())

    async def _receive(self) -> bool:
        """Whether something more has come; no: the client has closed the connection."""
        tls = self._tls
        try:
            data = await (self._reader.read(_PIECE) if tls is None else self._done(lambda: tls.read(_PIECE)))
        except (ConnectionError, ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return False
        self._received += data
        return bool(data)

    async def _done(self, step: Callable[[], T]) -> T:
        """What a step of TLS returns, once all has come that it needs."""
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                pass
            finally:
                await self._put(self._outgoing.read())
            data = await self._reader.read(_PIECE)
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    async def _put(self, data: bytes) -> None:
        if not data:
            return
        self._check_open()
        if self.room is not None:
            whole, data = data, data[: self.room]
            self.room -= len(data)
            if len(data) < len(whole):
                self._writer.write(data)
                raise ConnectionAbortedError("no more of it gets out")
        self._writer.write(data)
        await self._writer.drain()

    def _check_open(self) -> None:
        if self._writer.is_closing():  # which uvloop complains of in its own way, and asyncio not at all
            raise ConnectionResetError("the client has gone")

    def _taken(self, count: int) -> bytes:
        """The first so many bytes that were received, which are received no more."""
        taken, self._received = self._received[:count], self._received[count:]
        return taken


Script = Callable[[Peer], Awaitable[None]]
"""What is done to one connection, which is closed when it ends."""

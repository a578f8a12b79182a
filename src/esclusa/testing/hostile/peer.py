"""One connection, as a hostile back end sees it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable

from esclusa.kernel.clock import Clock

_PIECE = 65_536
_LENGTH = b"content-length:"


class Peer:
    """What a script may do to whoever has connected."""

    def __init__(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answer: bytes, content_type: str
    ) -> None:
        """`answer`: the body, or the raw bytes, that one in good health would send."""
        self.number = number
        """0 for the first that was accepted."""
        self.body = answer
        self._type = content_type.encode()
        self._reader = reader
        self._writer = writer
        self._clock = Clock()

    def answer(self, body: bytes | None = None, status: bytes = b"200 OK", *lines: bytes) -> bytes:
        """A whole answer of HTTP with its length, and further header `lines`; with the good body unless given."""
        body = self.body if body is None else body
        head = [b"HTTP/1.1 " + status, b"content-type: " + self._type, b"content-length: %d" % len(body), *lines]
        return b"\r\n".join(head) + b"\r\n\r\n" + body

    async def request(self) -> bytes:
        """The next request of HTTP, whole; empty when the client has closed the connection."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            length = next((int(line.removeprefix(_LENGTH)) for line in lines if line.startswith(_LENGTH)), 0)
            return head + await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, OSError):
            return b""

    async def some(self) -> bytes:
        """Whatever comes next; empty when the client has closed the connection."""
        return await self._reader.read(_PIECE)

    async def send(self, data: bytes) -> None:
        """Send these bytes, as fast as the client takes them."""
        self._writer.write(data)
        await self._writer.drain()

    async def secure(self, context: ssl.SSLContext) -> None:
        """Set TLS up; `OSError` when the client does not want it."""
        await self._writer.start_tls(context)

    async def rest(self, seconds: float) -> None:
        """Do nothing for a while."""
        await self._clock.sleep(seconds)

    def cut(self) -> None:
        """Close below TLS, which is told nothing."""
        with socket.socket(fileno=os.dup(self._writer.get_extra_info("socket").fileno())) as below:
            below.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close with a reset."""
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the client has closed the connection."""
        with contextlib.suppress(OSError):
            while await self._reader.read(_PIECE):
                pass


Script = Callable[[Peer], Awaitable[None]]
"""What is done to one connection, which is closed when it ends."""

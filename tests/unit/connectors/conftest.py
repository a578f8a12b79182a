"""A back end on a real socket, for what has to be seen on the wire."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Server:
    """Keeps what it is sent, and sends to each request the next of `answers`, or the last again. `b""`: says nothing."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.answers: list[bytes] = []
        self.certificates: list[str] = []
        """Subjects of the client certificates shown."""
        self.port = 0
        self.asked = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                shown = writer.get_extra_info("peercert")
                if shown:
                    self.certificates.append(str(shown["subject"]))
                length = next(
                    (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
                )
                self.requests.append(head + await reader.readexactly(length))
                self.asked.set()
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if not answer:
                    await reader.read()
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def answer(self, body: bytes = b"{}", status: int = 200, *headers: str) -> None:
        """Add an answer."""
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers]
        self.answers.append("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def fields(self, place: int = -1) -> dict[str, str]:
        """The header fields of a request, names in lower case."""
        lines = self.requests[place].partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server on a free port of this machine."""
    one = Server()
    listening = await asyncio.start_server(one.serve, "127.0.0.1", 0, ssl=tls)
    one.port = listening.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        listening.close()

"""Connections on a free port of the loopback, before an application that counts what reaches it."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from esclusa.edges.http.connection import Connections
from esclusa.edges.http.front import Front
from esclusa.edges.http.settings import ServerSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
SOON = Duration(0.05)
"""Long enough for a loopback, short enough for a test."""


class Watched(Connections):
    """Connections that say when one is closed."""

    somebody_left: asyncio.Event

    def left(self, address: str | None) -> None:
        super().left(address)
        self.somebody_left.set()


class Listening:
    """A listener before an application that counts what reaches it."""

    def __init__(self, port: int, connections: Watched, served: list[Any]) -> None:
        self.port = port
        self.connections = connections
        self.served = served

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def said(self, *pieces: bytes) -> bytes:
        """All that is answered, until the server closes."""
        reader, writer = await self.open()
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        said = await reader.read()
        writer.close()
        return said

    def refused(self, reason: str) -> float:
        return self.connections.refused.values.get((reason,), 0)


@asynccontextmanager
async def listening(
    *, size: int = 2, read_body: bool = False, context: ssl.SSLContext | None = None, **limits: Any
) -> AsyncIterator[Listening]:
    """`size`: of an answer, in bytes."""
    served: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        served.append(scope)
        while read_body and (await receive()).get("more_body"):
            pass
        headers = [(b"content-length", str(size).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"x" * size, "more_body": False})

    clock, instrument = Clock(), Instrument()
    settings = ServerSettings(**limits)
    front = Front(app, settings, clock, Ids(clock), instrument)
    connections = Watched(front, settings, clock, Ids(clock), instrument, state={"there": 1})
    connections.somebody_left = asyncio.Event()
    server = await asyncio.get_running_loop().create_server(connections.open, "127.0.0.1", 0, ssl=context)
    try:
        yield Listening(server.sockets[0].getsockname()[1], connections, served)
    finally:
        server.close()
        await connections.stop()


def problem(said: bytes) -> tuple[int, str]:
    """The status and type of an answer, whose headers are looked at in passing."""
    head, _, body = said.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:])
    parsed = json.loads(body)
    assert headers["content-type"] == "application/problem+json"
    assert headers["content-length"] == str(len(body))
    assert headers["connection"] == "close"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["traceresponse"].split("-")[1] == parsed["traceId"]
    assert "date" in headers
    status = int(lines[0].split(" ")[1])
    assert parsed["status"] == status
    return status, parsed["type"]

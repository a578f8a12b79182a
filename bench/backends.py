"""Back ends that cost next to nothing: a bare HTTP protocol on many ports, in a process and on a core of their own.

`/NAME/250` is answered after 250 ms, with about 300 bytes of JSON that say how long it took: from the request's last
byte to the answer's first, in microseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import cast

import msgspec
import uvloop
from httptools import HttpRequestParser

from bench.child import child
from bench.machine import settle

BACKLOG = 4096
FOUND = b'{"took":%9d,"found":true,"expedientes":["' + b"x" * 240 + b'"]}'


def answer(content: bytes, kind: bytes = b"application/json") -> bytes:
    """All of an answer with `content` in it, which has a place for the microseconds that it took."""
    return b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n" % (kind, len(content % 0)) + content


SMALL = answer(FOUND)


class Body(msgspec.Struct):
    """As much of an answer as the bench looks at."""

    took: int
    """Microseconds."""


class Desk(asyncio.Protocol):
    """One connection; one request at a time, as its callers send them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, answer: bytes = SMALL) -> None:
        self._loop = loop
        self._says = answer
        self._parser = HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._delay = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has called."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter
        """Whatever is due is not said any more."""
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Some of a request."""
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        """The parser has its target: the delay is its last part."""
        self._delay = int(url.rpartition(b"/")[2]) / 1000

    def on_message_complete(self) -> None:
        """A request is whole."""
        begun = time.perf_counter()
        if self._delay:
            self._loop.call_later(self._delay, self._answer, begun)
        else:
            self._answer(begun)

    def _answer(self, begun: float) -> None:
        if self._transport is not None:
            self._transport.write(self._says % ((time.perf_counter() - begun) * 1e6))


async def serve(count: int) -> None:
    """Listen on `count` free ports, say which, and go on until standard input ends."""
    loop = asyncio.get_running_loop()
    servers = [await loop.create_server(partial(Desk, loop), "127.0.0.1", 0, backlog=BACKLOG) for _ in range(count)]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def backends(count: int, core: int) -> Iterator[Sequence[str]]:
    """The addresses (`http://127.0.0.1:40001`) of `count` back ends that run on `core` for as long as this lasts."""
    with child("bench.backends", str(count), str(core)) as said:
        yield [f"http://127.0.0.1:{port}" for port in json.loads(said)]


if __name__ == "__main__":
    settle(int(sys.argv[2]))
    uvloop.run(serve(int(sys.argv[1])))

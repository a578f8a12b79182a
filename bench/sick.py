"""Back ends that are not well, beside those that are: one never answers, one comes and goes, one fails in ten.

As bare as the others, in a process of their own on the same core; one of each. Targets are as there, `/NAME/DELAY`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count

import msgspec
import uvloop

from bench.backends import BACKLOG, SMALL, Desk
from bench.child import child
from bench.machine import settle

UP = 1.0
"""Seconds for which the one that comes and goes is there, and then is not."""
FAILED = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"


class Hung(Desk):
    """Takes every request, and answers none."""

    def on_message_complete(self) -> None:
        """A request is whole."""


class Flapping(Desk):
    """Answers for a second, and resets connections for another."""

    def on_message_complete(self) -> None:
        """A request is whole."""
        if time.monotonic() % (2 * UP) < UP:
            super().on_message_complete()
        elif self._transport is not None:
            self._transport.abort()


class Failing(Desk):
    """Fails one call in ten, of all connections together."""

    calls = count(1)

    def _answer(self, begun: float) -> None:
        if next(self.calls) % 10:
            super()._answer(begun)
        elif self._transport is not None:
            self._transport.write(FAILED)


async def serve() -> None:
    """Listen, say where, and go on until standard input ends."""
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(partial(desk, loop, SMALL), "127.0.0.1", 0, backlog=BACKLOG)
        for desk in (Hung, Flapping, Failing)
    ]
    addresses = [f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}" for server in servers]
    print(msgspec.json.encode(addresses).decode(), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def sick(core: int) -> Iterator[list[str]]:
    """Their addresses, for as long as this lasts; they run on `core`."""
    with child("bench.sick", str(core)) as said:
        yield msgspec.json.decode(said, type=list[str])


if __name__ == "__main__":
    settle(int(sys.argv[1]))
    uvloop.run(serve())

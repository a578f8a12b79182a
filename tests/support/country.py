"""Back ends outside the process under test, and the ledger of every call that reached them."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from esclusa.kernel.clock import Clock
from support.poll import pause

_ID = re.compile(rb"^x-request-id: *(\S+)", re.IGNORECASE | re.MULTILINE)


class Country:
    """So many bodies, each on a port of its own; each answers with its name and the request's id."""

    def __init__(self, names: list[str], *, slowest: float, seed: int = 0) -> None:
        self.names = names
        self.slowest = slowest
        self.dice = random.Random(seed)
        self.calls: Counter[tuple[str, str]] = Counter()
        """By request and body."""
        self.ports: dict[str, int] = {}
        self.served: asyncio.Queue[str] = asyncio.Queue()
        self.says: dict[str, str] = {}
        """What every answer has beside the body's name and the request."""
        self.delays: dict[str, float] = {}
        """Seconds, of bodies that take always the same."""
        self.busy: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        """The most calls at a time."""
        self.cut: Counter[tuple[str, str]] = Counter()
        """By request and body, calls that their caller gave up."""
        self.clock = Clock()
        self.answered: dict[tuple[str, str], float] = {}
        """By request and body, when it answered last, in seconds since the epoch."""

    async def serve(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                found = _ID.search(head)
                request = found[1].decode() if found else ""
                self.calls[request, name] += 1
                self.served.put_nowait(name)
                self.busy[name] += 1
                self.most[name] = max(self.most[name], self.busy[name])
                try:
                    left = await _left(reader, self.delays.get(name, self.dice.random() * self.slowest))
                finally:
                    self.busy[name] -= 1
                if left:
                    self.cut[request, name] += 1
                    return
                self.answered[request, name] = self.clock.now()
                body = json.dumps({"body": name, "request": request, **self.says}).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Country]:
        """All bodies listen."""
        servers = []
        for name in self.names:

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str = name) -> None:
                await self.serve(name, reader, writer)

            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            self.ports[name] = server.sockets[0].getsockname()[1]
            servers.append(server)
        try:
            yield self
        finally:
            for server in servers:
                server.close()

    def connectors(self, *names: str, **settings: str | int) -> str:
        """Their tables in a configuration; of those called `names`, where some are given."""
        extra = "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
        return "".join(
            f'[connectors.{name}]\nurl = "http://127.0.0.1:{port}/who/{{subject}}"\n{extra}'
            for name, port in self.ports.items()
            if not names or name in names
        )


async def _left(reader: asyncio.StreamReader, seconds: float) -> bool:
    """Whether the caller goes away within so many `seconds`; else they are over."""
    over, gone = asyncio.ensure_future(pause(seconds)), asyncio.ensure_future(reader.read(1))
    try:
        await asyncio.wait({over, gone}, return_when=asyncio.FIRST_COMPLETED)
        return gone.done()
    finally:
        over.cancel()
        gone.cancel()
        await asyncio.gather(over, gone, return_exceptions=True)

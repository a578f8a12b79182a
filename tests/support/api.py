"""The HTTP edge over real sockets: before a hub that does as it is told, or before any other."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from uuid import UUID

import httpx
import msgspec

from esclusa.edges.http.api import make_applications
from esclusa.edges.http.callers import Callers
from esclusa.edges.http.health import Check, Health
from esclusa.edges.http.reloaded import Reload, Reloaded
from esclusa.edges.http.server import HttpServer
from esclusa.edges.http.settings import ClientSettings, ServerSettings
from esclusa.hub.hub import Hub
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument
from esclusa.observability.metrics import Metrics
from esclusa.testing.virtual import EPOCH
from support.fake_hub import FakeHub
from support.sink import Sink

KEY = "a-key-of-sixteen-characters"
READER_KEY = "another-key-without-permissions"
CLIENTS = {
    "sede": ClientSettings(key=KEY, permissions=["ask-for-anyone"]),
    "reader": ClientSettings(key=READER_KEY),
}
AS_SEDE = {"authorization": f"Bearer {KEY}"}
QUESTION = {"query": "expedientes", "subject": "12345678Z"}


class Served:
    """A server and a client of it."""

    def __init__(
        self, server: HttpServer, client: httpx.AsyncClient, health: Health, instrument: Instrument, logged: Sink
    ) -> None:
        self.server = server
        self.client = client
        self.health = health
        self.instrument = instrument
        self.logged = logged

    @property
    def port(self) -> int:
        assert self.server.address is not None
        return self.server.address.port

    async def ask(self, **change: Any) -> UUID:
        """The id of a new request."""
        answer = await self.client.post("/api/v1/requests", json=QUESTION | change)
        assert answer.status_code == 202, answer.text
        return UUID(answer.json()["id"])

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A bare connection; little fits into its buffer, whatever the machine gives to others."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(0)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=sock)
        try:
            yield reader, writer
        finally:
            writer.close()

    async def said(self, sent: bytes) -> bytes:
        """All that is answered to `sent`, until the server closes."""
        async with self.connected() as (reader, writer):
            writer.write(sent)
            return await reader.read()

    def counted(self, counter: str, *labels: str) -> float:
        return self.instrument.counters[counter].values.get(labels, 0)


async def nothing_changed() -> Reloaded:
    """What `/api/v1/reload` says unless told."""
    return Reloaded(configuration="0a1b2c", added=[], changed=[], removed=[])


@asynccontextmanager
async def served(
    hub: Hub | FakeHub,
    clock: Clock,
    settings: ServerSettings | None = None,
    *,
    checks: Mapping[str, Check] | None = None,
    reload: Reload | None = nothing_changed,
) -> AsyncIterator[Served]:
    """`hub` on a free port of the loopback, and a client with the key of `sede`."""
    logged = Sink()
    instrument = logged.instrument()
    settings = msgspec.structs.replace(settings or ServerSettings(), listen="127.0.0.1:0")
    ids = Ids(clock)
    health = Health(checks or {}, clock, instrument)
    applications = make_applications(
        cast("Hub", hub), health, Metrics(instrument), settings, Callers(CLIENTS), reload, clock, ids, instrument
    )
    with TemporaryDirectory() as folder:
        server = HttpServer(applications, settings, Path(folder), clock, ids, instrument)
        await server.start()
        await health.start()
        assert server.address is not None
        try:
            async with httpx.AsyncClient(base_url=server.address.url, headers=AS_SEDE, timeout=20) as client:
                yield Served(server, client, health, instrument, logged)
        finally:
            await health.stop()
            await server.stop()


@asynccontextmanager
async def faked(settings: ServerSettings | None = None, **options: Any) -> AsyncIterator[tuple[FakeHub, Served]]:
    """A fake hub, served."""
    clock = Clock(epoch=EPOCH)
    hub = FakeHub(clock)
    async with served(hub, clock, settings, **options) as edge:
        yield hub, edge

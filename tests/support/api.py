"""The HTTP edge over real sockets: before a hub that does as it is told, or before any other."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast
from uuid import UUID

import httpx
import msgspec

from esclusa.connectors.backend import Reason
from esclusa.edges.http.api import make_applications
from esclusa.edges.http.health import Check, Health
from esclusa.edges.http.server import HttpServer
from esclusa.edges.http.settings import ClientSettings, ServerSettings
from esclusa.hub.cursor import event_id, parse_event_id
from esclusa.hub.hub import Hub
from esclusa.hub.presence import ConnectorHealth, ConnectorState, ProcessReport
from esclusa.hub.settings import ParamSettings, QuerySettings
from esclusa.hub.snapshot import Answer, Snapshot, compose
from esclusa.hub.stored import AnswerHead, Times
from esclusa.hub.submission import Receipt, Submission
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import NotFound, UnknownQuery
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument, Level
from esclusa.observability.metrics import Metrics
from esclusa.testing.virtual import EPOCH

KEY = "a-key-of-sixteen-characters"
READER_KEY = "another-key-without-permissions"
CLIENTS = {
    "sede": ClientSettings(key=KEY, permissions=["ask-for-anyone"]),
    "reader": ClientSettings(key=READER_KEY),
}
AS_SEDE = {"authorization": f"Bearer {KEY}"}
QUESTION = {"query": "expedientes", "subject": "12345678Z"}
CONNECTORS = ["dgt", "aeat", "sepe"]
TITLES = {"dgt": "Tráfico", "aeat": "Hacienda", "sepe": "Empleo"}


class FakeRequest(msgspec.Struct):
    """A request as the fake hub holds it."""

    caller: str
    times: Times
    heads: dict[str, AnswerHead] = {}
    data: dict[str, bytes] = {}


class FakeHub:
    """The hub's interface over a dictionary. Answers come when the test says so."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.ids = Ids(clock)
        self.submitted: list[Submission] = []
        self.raises: Exception | None = None
        """What every operation raises, once set."""
        self.requests: dict[UUID, FakeRequest] = {}
        self.waiting = asyncio.Event()
        """Somebody has begun to wait."""
        self.left = asyncio.Event()
        """Somebody has stopped waiting."""
        self._changed = asyncio.Event()
        self._draining = False

    def answer(self, id: UUID, connector: str, data: bytes | None = b"{}", reason: Reason | None = None) -> None:
        """The answer of one back end is here."""
        request = self.requests[id]
        request.heads[connector] = AnswerHead(reason, "" if reason is None else "It went wrong", 1, 120, self.clock.millis())
        if data is not None and reason is None:
            request.data[connector] = data
        self._wake()

    def drain(self) -> None:
        """Whoever waits is let go."""
        self._draining = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _check(self) -> None:
        if self.raises is not None:
            raise self.raises

    def _of(self, id: UUID, caller: str) -> FakeRequest:
        self._check()
        request = self.requests.get(id)
        if request is None or request.caller != caller:
            raise NotFound
        return request

    async def submit(self, submission: Submission) -> Receipt:
        self._check()
        if submission.query not in self.queries():
            raise UnknownQuery(f"There is no query {submission.query!r}")
        self.submitted.append(submission)
        id, now = self.ids.uuid(), self.clock.millis()
        times = Times(now, now + 59_000, now + 60_000, now + 600_000)
        self.requests[id] = FakeRequest(submission.caller, times)
        return Receipt(
            id=id, query=submission.query, created=now, deadline=times.deadline, expires=times.expires, retry_after=1500
        )

    async def results(self, id: UUID, caller: str, *, data: bool = True) -> Snapshot:
        request = self._of(id, caller)
        final = len(request.heads) == len(CONNECTORS)
        return compose(
            id,
            "expedientes",
            request.times,
            CONNECTORS,
            request.heads,
            final=final,
            titles=TITLES,
            retry_after=2000,
            data=request.data if data else {},
        )

    async def wait(self, id: UUID, caller: str, *, seconds: float, tag: str | None = None, data: bool = True) -> Snapshot:
        before = await self.results(id, caller, data=False)
        tag = tag or before.tag
        until = self.clock.now() + seconds
        try:
            async with self.clock.timeout_at(until):
                while (now := await self.results(id, caller, data=data)).tag == tag and now.query_more and not self._draining:
                    await self._wait()
        except TimeoutError:
            pass
        return await self.results(id, caller, data=data)

    async def _wait(self) -> None:
        self.waiting.set()
        try:
            await self._changed.wait()
        finally:
            self.left.set()

    async def follow(
        self, id: UUID, caller: str, *, after: str | None = None
    ) -> AsyncGenerator[tuple[str, Answer | Snapshot], None]:
        sent = parse_event_id(after, CONNECTORS)[0] if after is not None else set()
        while True:
            snapshot = await self.results(id, caller)
            for answer in snapshot.answers:
                if answer.connector not in sent:
                    sent.add(answer.connector)
                    yield event_id(CONNECTORS, sent, final=False), answer
            if not snapshot.query_more:
                yield event_id(CONNECTORS, sent, final=True), await self.results(id, caller, data=False)
                return
            if self._draining:
                return
            await self._wait()

    async def cancel(self, id: UUID, caller: str) -> None:
        self._of(id, caller)
        del self.requests[id]
        self._wake()

    def queries(self) -> Mapping[str, QuerySettings]:
        period = ParamSettings(type="dateRange", title="Periodo", max=366)
        return {"expedientes": QuerySettings(title="Mis expedientes", ttl=Duration(60), params={"period": period})}

    async def connectors(self) -> list[ConnectorHealth]:
        self._check()
        return [ConnectorHealth(name, TITLES[name], "default", ["state"], "closed", 0, 1, 1) for name in CONNECTORS]

    async def processes(self) -> list[ProcessReport]:
        self._check()
        states = [ConnectorState(name, "half_open", 2, 1) for name in CONNECTORS]
        now = self.clock.millis()
        return [ProcessReport("p1", "0.1.0", now - 1000, now, ["hub"], ["default"], "abcdef", states)]


class Served:
    """A server and a client of it."""

    def __init__(
        self, server: HttpServer, client: httpx.AsyncClient, health: Health, instrument: Instrument, logged: list[Any]
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


@asynccontextmanager
async def served(
    hub: Hub | FakeHub,
    clock: Clock,
    settings: ServerSettings | None = None,
    *,
    checks: Mapping[str, Check] | None = None,
) -> AsyncIterator[Served]:
    """`hub` on a free port of the loopback, and a client with the key of `sede`."""
    logged: list[Any] = []
    instrument = Instrument(lambda level, event, facts: logged.append((level, event, facts)), Level.DEBUG)
    settings = msgspec.structs.replace(settings or ServerSettings(), listen="127.0.0.1:0")
    ids = Ids(clock)
    health = Health(checks or {}, clock, instrument)
    applications = make_applications(cast("Hub", hub), health, Metrics(instrument), settings, CLIENTS, clock, ids, instrument)
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

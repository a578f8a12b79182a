"""The service as the command line reaches it: the process of a configuration by its local socket, or any by its URL."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import httpx
import msgspec

from esclusa.cli.exits import Exit
from esclusa.cli.moments import instant
from esclusa.cli.output import Failed
from esclusa.config.config import data_folder
from esclusa.edges.http.inventory_wire import ConnectorsBody, PoolsBody, ProcessesBody, QueriesBody
from esclusa.edges.http.problems import PREFIX, FaultBody, ProblemBody
from esclusa.edges.http.server import SOCKET
from esclusa.edges.http.wire import HealthBody, ReceiptBody, ReloadedBody, SnapshotBody, SubmissionBody
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Fault, InvalidConfiguration
from esclusa.kernel.ids import Ids

WAIT = 20
"""Seconds that a poll is held when nothing happens."""
AGAIN = 1.0
"""Seconds after which a service that went away is asked again."""
PACE = 0.1
"""Seconds between two polls when much happens: nobody reads faster."""
PATIENCE = 10.0
"""Seconds that the service has to answer, beside what it was asked to wait."""
_NOBODY_BEHIND = (httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT)
"""What a proxy says when it finds nobody behind it."""

T = TypeVar("T")


class Away(msgspec.Struct, frozen=True):
    """The service does not answer just now; it is asked again until the moment `until`, in seconds since the epoch."""

    until: float


class Service(msgspec.Struct, frozen=True):
    """Where a service is and with what key to ask it."""

    url: str
    socket: Path | None = None
    key: str | None = None


def service(file: Path, url: str | None, key: str | None, environ: Mapping[str, str]) -> Service:
    """The one at `url`, asked with `key`, or else the process that runs the configuration `file` on this machine."""
    if key is not None and not (key.isascii() and key.isprintable()):
        raise Failed(Exit.MISTAKE, "the key has characters that no key has: look at ESCLUSA_KEY or --key")
    if url is not None:
        return Service(_address(url), key=key)
    return Service("http://localhost", socket=data_folder(file, environ) / SOCKET)


def _address(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if parsed.scheme not in {"http", "https"} or not parsed.host or parsed.userinfo:
        raise Failed(Exit.MISTAKE, "--url is no address of a service: write one such as https://hub.example, and the key apart")
    return url.rstrip("/")


class Absent(Failed):
    """The service, or all that stands behind a proxy, does not answer just now."""


class Client:
    """The API of one service. Raises `Failed` when nobody answers, or when the answer is a problem."""

    def __init__(self, http: httpx.AsyncClient, where: Service, clock: Clock) -> None:
        self._http = http
        self._service = where
        self._clock = clock

    async def queries(self) -> QueriesBody:
        """What may be asked."""
        return await self._read("/api/v1/queries", QueriesBody)

    async def connectors(self) -> ConnectorsBody:
        """The back ends and how they are."""
        return await self._read("/api/v1/connectors", ConnectorsBody)

    async def processes(self) -> ProcessesBody:
        """The processes that serve them."""
        return await self._read("/api/v1/processes", ProcessesBody)

    async def pools(self) -> PoolsBody:
        """The pools and how far behind they are."""
        return await self._read("/api/v1/pools", PoolsBody)

    async def health(self) -> HealthBody:
        """Whether the process that answers is ready."""
        return await self._read("/health/ready", HealthBody)

    async def reload(self) -> ReloadedBody:
        """Have the process that answers take its configuration anew."""
        return _decoded(await self._send("POST", "/api/v1/reload"), ReloadedBody)

    async def submit(self, submission: SubmissionBody) -> ReceiptBody:
        """Ask. A proxy may send it again to another process: it has a key under which it is taken once."""
        body = msgspec.json.encode(submission)
        headers = {"content-type": "application/json", "idempotency-key": str(Ids(self._clock).uuid())}
        response = await self._send("POST", "/api/v1/requests", content=body, headers=headers, submission=submission)
        return _decoded(response, ReceiptBody)

    async def follow(self, receipt: ReceiptBody) -> AsyncIterator[SnapshotBody]:
        """What is known of a request, each time that there is more, until it is final; see `news`."""
        async for each in self.news(receipt):
            if not isinstance(each, Away):
                yield each

    async def news(self, receipt: ReceiptBody) -> AsyncIterator[SnapshotBody | Away]:
        """What is known of a request, each time that there is more, until it is final.

        A service that goes away meanwhile is asked again until the deadline has passed: another process may serve it. Each
        time that it does not answer there is an `Away`; when it is back, what is known comes at once.
        """
        until = self._clock.now() + instant(receipt.deadline) - instant(receipt.created_at)
        headers: dict[str, str] = {}
        while True:
            try:
                response = await self._send("GET", f"/api/v1/requests/{receipt.id}", headers=headers, patience=WAIT + PATIENCE)
            except Absent:
                if self._clock.now() > until:
                    raise
                headers = {}
                yield Away(until)
                await self._clock.sleep(AGAIN)
                continue
            if response.status_code == httpx.codes.OK:
                snapshot = _decoded(response, SnapshotBody)
                yield snapshot
                if not snapshot.query_more:
                    return
                headers = {"if-none-match": response.headers["etag"], "prefer": f"wait={WAIT}"}
            await self._clock.sleep(PACE)

    async def _read(self, path: str, kind: type[T]) -> T:
        return _decoded(await self._send("GET", path), kind)

    async def _send(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        patience: float = PATIENCE,
        submission: SubmissionBody | None = None,
    ) -> httpx.Response:
        try:
            response = await self._http.request(method, path, content=content, headers=headers, timeout=patience)
        except (httpx.TransportError, OSError) as error:
            raise Absent(Exit.UNREACHABLE, self._unreachable(error)) from error
        if response.is_error:
            raise self._refusal(response, submission)
        return response

    def _unreachable(self, error: Exception) -> str:
        if self._service.socket is not None:
            return f'no process answers at {self._service.socket}: start one with "esclusa run", or name a service with --url'
        return f"nobody answers at {self._service.url}: {_why(error)}"

    def _refusal(self, response: httpx.Response, submission: SubmissionBody | None) -> Failed:
        """A problem in words, and as it came. `submission`: the question that was refused."""
        try:
            problem = msgspec.json.decode(response.content, type=ProblemBody)
        except msgspec.MsgspecError:
            kind = Absent if response.status_code in _NOBODY_BEHIND else Failed
            hint = f": is it Esclusa, and {self._service.url} where its API begins, without /api/v1?" if kind is Failed else ""
            return kind(Exit.REFUSED, f"the service answered {response.status_code} {response.reason_phrase}{hint}")
        if response.status_code == httpx.codes.UNAUTHORIZED:
            key = self._service.key
            what = (
                "wants a key: set ESCLUSA_KEY or give --key"
                if key is None
                else "knows no such key: look at ESCLUSA_KEY or --key"
            )
            return Failed(Exit.REFUSED, f"the service {what}", msgspec.Raw(response.content))
        lines = [f"{problem.title}: {problem.detail}" if problem.detail else problem.title]
        asked = () if submission is None else submission.connectors or ()
        lines += [f"  {told(fault, asked)}" for fault in problem.errors or ()]
        kind = Absent if response.status_code == httpx.codes.SERVICE_UNAVAILABLE else Failed
        code = Exit.MISTAKE if problem.type == PREFIX + InvalidConfiguration.name else Exit.REFUSED
        return kind(code, "\n".join(lines), msgspec.Raw(response.content))


@asynccontextmanager
async def connected(where: Service, clock: Clock) -> AsyncIterator[Client]:
    """A client of the service, for as long as the context lasts."""
    headers = {} if where.key is None else {"authorization": f"Bearer {where.key}"}
    transport = None if where.socket is None else httpx.AsyncHTTPTransport(uds=str(where.socket))
    async with httpx.AsyncClient(base_url=where.url, headers=headers, transport=transport) as http:
        yield Client(http, where, clock)


def _decoded(response: httpx.Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(response.content, type=kind)
    except msgspec.MsgspecError as error:
        raise Failed(Exit.REFUSED, f"what answers at {response.url} is no Esclusa, or another version: {error}") from error


def told(fault: FaultBody | Fault, connectors: Sequence[str] = ()) -> str:
    """A fault by the name that the user gave: of a parameter, or of one of `connectors`, which is pointed to by its number."""
    match [part.replace("~1", "/").replace("~0", "~") for part in fault.pointer.split("/")[1:]]:
        case []:
            return fault.message
        case ["connectors", number] if number.isdecimal() and int(number) < len(connectors):
            return f"{connectors[int(number)]}: {fault.message}"
        case ["params", *below] if below:
            return f"{'.'.join(below)}: {fault.message}"
        case names:
            return f"{'.'.join(names)}: {fault.message}"


def _why(error: BaseException) -> str:
    """Why nobody answers, as the user may mend it."""
    below: BaseException | None = error
    while below is not None:
        match below:
            case ssl.SSLError():
                return "no encrypted connection can be made, or its certificate is not trusted"
            case socket.gaierror():
                return "there is no such host"
            case httpx.TimeoutException():
                return "no answer in time"
            case ConnectionRefusedError():
                return "the connection is refused"
        below = below.__cause__ or below.__context__
    return "the connection can't be made" if isinstance(error, httpx.ConnectError) else "the connection broke off"

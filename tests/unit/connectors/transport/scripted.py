"""A back end on a real socket that does, byte for byte, what a test tells it to; a clock moved by hand; waiting."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import cast

from esclusa.connectors.transport import Address, HttpClient, HttpError, Limits, Origin, Request, Response
from esclusa.kernel.clock import Args, Clock

EPOCH = 1_800_000_000.0


def answer(body: bytes = b"hello", status: bytes = b"200 OK", *lines: bytes) -> bytes:
    """A whole answer with its length, and further header `lines`."""
    head = [b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


class Peer:
    """One connection, seen by the back end."""

    def __init__(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = number
        """0 for the first that was accepted."""
        tls = writer.get_extra_info("ssl_object")
        self.protocol = None if tls is None else tls.selected_alpn_protocol()
        """What was agreed on by ALPN."""
        self._reader = reader
        self._writer = writer

    async def head(self) -> bytes:
        """The next request without its body; empty when the client has closed the connection."""
        try:
            return await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError):
            return b""

    async def request(self) -> bytes:
        """The next request whole; empty when the client has closed the connection."""
        head = await self.head()
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), 0)
        return head + await self._reader.readexactly(length)

    def send(self, data: bytes) -> None:
        """Send these bytes."""
        self._writer.write(data)

    async def sent(self) -> None:
        """Wait until the client takes more."""
        await self._writer.drain()

    def end(self) -> None:
        """Close in order, after what was sent."""
        self._writer.close()

    def cut(self) -> None:
        """Close below TLS, which is told nothing."""
        with socket.socket(fileno=os.dup(self._writer.get_extra_info("socket").fileno())) as below:
            below.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close with a reset."""
        linger = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the client has closed the connection."""
        with contextlib.suppress(OSError):
            while await self._reader.read(65_536):
                pass


Script = Callable[[Peer], Awaitable[None]]


class BackEnd:
    """Runs a script on each connection."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._running: set[asyncio.Task[None]] = set()
        self.accepted = 0
        self.port = 0
        self.failures: list[BaseException] = []

    @property
    def open(self) -> int:
        """Connections whose script has not ended."""
        return len(self._running)

    @property
    def origin(self) -> Origin:
        """Where it is."""
        return Origin("http", "127.0.0.1", self.port)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; closed when its script ends."""
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        peer = Peer(self.accepted, reader, writer)
        self.accepted += 1
        try:
            await self._script(peer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client may go at any time
        except BaseException as failure:  # noqa: BLE001 - shown when the test ends
            self.failures.append(failure)
        finally:
            writer.close()
            self._running.discard(task)

    async def end(self) -> None:
        """Stop what still runs, and show what went wrong."""
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for failure in self.failures:
            raise failure


@asynccontextmanager
async def back_end(script: Script, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[BackEnd]:
    """A back end on a free port of 127.0.0.1."""
    back = BackEnd(script)
    server = await asyncio.start_server(back.serve, "127.0.0.1", 0, ssl=tls, limit=1 << 20)
    back.port = server.sockets[0].getsockname()[1]
    try:
        yield back
    finally:
        server.close()
        await back.end()


def always(data: bytes) -> Script:
    """The same answer to every request."""

    async def script(peer: Peer) -> None:
        while await peer.request():
            peer.send(data)

    return script


def once(data: bytes) -> Script:
    """One answer, and then the back end closes the connection."""

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.send(data)

    return script


class Listener:
    """A back end without an event loop: what it does is done when its method returns, before the client's loop can turn."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.settimeout(10)
        self.accepted: list[socket.socket] = []

    @property
    def origin(self) -> Origin:
        """Where it is."""
        return Origin("http", "127.0.0.1", self.listening.getsockname()[1])

    def accept(self) -> socket.socket:
        """The next connection."""
        peer, _ = self.listening.accept()
        peer.settimeout(10)
        self.accepted.append(peer)
        return peer

    def close(self) -> None:
        """End it all."""
        for peer in self.accepted:
            peer.close()
        self.listening.close()


class HandClock(Clock):
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        super().__init__(epoch=EPOCH)
        self._time = EPOCH
        self._timers: list[HandTimer] = []

    def now(self) -> float:
        return self._time

    def call_at(self, when: float, callback: Callable[[*Args], object], *args: *Args) -> asyncio.TimerHandle:
        timer = HandTimer(when, lambda: callback(*args))
        self._timers.append(timer)
        return cast("asyncio.TimerHandle", timer)

    async def sleep(self, seconds: float) -> None:
        over = asyncio.get_running_loop().create_future()
        self.call_at(self._time + seconds, lambda: None if over.done() else over.set_result(None))
        await over

    def move(self, seconds: float) -> None:
        """Let `seconds` pass, with all that falls into them."""
        until = self._time + seconds
        while due := sorted((timer for timer in self._timers if timer.when <= until), key=lambda timer: timer.when):
            self._time = max(self._time, due[0].when)
            self._timers.remove(due[0])
            due[0].go_off()
        self._time = until

    @property
    def timers(self) -> int:
        """Timers that are set."""
        return sum(not timer.cancelled for timer in self._timers)


class HandTimer:
    """What a hand-moved clock gives for a timer."""

    def __init__(self, when: float, action: Callable[[], object]) -> None:
        self.when = when
        self.cancelled = False
        self._action = action

    def cancel(self) -> None:
        """Never go off."""
        self.cancelled = True

    def go_off(self) -> None:
        """It is time."""
        if not self.cancelled:
            self._action()


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until `holds`."""
    while not holds():  # noqa: ASYNC110 - what is waited for is the state of the client, which has no event to give
        await asyncio.sleep(0)


async def turns(count: int = 20) -> None:
    """Let the loop turn: time enough for what should not happen."""
    for _ in range(count):
        await asyncio.sleep(0)


class Outcomes(list[Response | HttpError]):
    """A `done` that remembers."""

    def __call__(self, outcome: Response | HttpError) -> None:
        self.append(outcome)

    async def wait(self, count: int = 1) -> Response | HttpError:
        """The last of `count` outcomes."""
        await until(lambda: len(self) >= count)
        return self[-1]


def get(target: str = "/x") -> Request:
    """A request that may be repeated."""
    return Request("GET", target)


def post(body: bytes = b"body") -> Request:
    """A request that may not."""
    return Request("POST", "/x", body=body)


async def outcome(
    client: HttpClient, clock: Clock, request: Request | None = None, seconds: float = 10.0
) -> Response | HttpError:
    """How one call ends."""
    try:
        return await client.request(request or get(), clock.now() + seconds)
    except HttpError as error:
        return error


def body(ended: Response | HttpError) -> bytes:
    """The body of what should be an answer."""
    assert isinstance(ended, Response), ended
    return ended.body


def error(ended: Response | HttpError) -> HttpError:
    """What should be an error."""
    assert isinstance(ended, HttpError), ended
    return ended


def kind(ended: Response | HttpError) -> str:
    """The kind of error, or the status."""
    return ended.kind if isinstance(ended, HttpError) else str(ended.status)


def descriptors() -> int:
    """Descriptors that this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def silent(peer: Peer) -> None:
    """A script: reads, and says nothing."""
    await peer.gone()


async def one(script: Script, request: Request | None = None, **limits: float) -> Response | HttpError:
    """How one call to a back end with this script ends."""
    async with back_end(script) as back:
        clock = Clock()
        async with HttpClient(back.origin, clock, limits=Limits(**limits)) as client:  # type: ignore[arg-type]  # floats for ints
            return await outcome(client, clock, request)


def local(_: str) -> list[Address]:
    """A look-up: every host is here."""
    return [ip_address("127.0.0.1")]

"""What every request and every answer passes, whoever serves it: the outermost ASGI layer.

It gives the request its trace, holds its body to a size and a time, adds to the answer the headers that all have, counts
it, and turns what nobody caught into a problem. Headers and connections have their limits in `connection`.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from litestar.exceptions import LitestarException
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Send

from esclusa.edges.http.headers import header
from esclusa.edges.http.problems import body_of, headers_of, problem_of
from esclusa.edges.http.settings import ServerSettings
from esclusa.edges.http.trace import Trace, trace_of
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Internal, NotFound, Refused, TooLarge, TooSlow
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument

TRACE = "trace"
"""In a scope's `state`: its `Trace`."""
ADMIT = "admit"
"""In a scope's `state`: an `Admit`, before an answer of any size is handed over."""
Admit = Callable[[int], None]
"""Takes the bytes of a piece of an answer; raises `Unavailable` when too much is being sent already."""
LONGEST_PATH = 1024
"""Characters. Nothing is served at a longer one, and the router behind remembers paths."""
SECURITY: tuple[tuple[bytes, bytes], ...] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
"""On every answer, unless it brings its own."""
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Front:
    """Wraps an application."""

    def __init__(self, app: ASGIApp, settings: ServerSettings, clock: Clock, ids: Ids, instrument: Instrument) -> None:
        self._app = app
        self._settings = settings
        self._clock = clock
        self._ids = ids
        self._instrument = instrument
        self._requests = instrument.counter(
            "esclusa_http_requests_total", "Requests answered, by the address as described", "route", "method", "status"
        )
        self._seconds = instrument.histogram(
            "esclusa_http_request_seconds", "From the last header to the end of the answer, waits included", "route",
            bounds=_BUCKETS,
        )  # fmt: skip

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        began = self._clock.now()
        trace = scope["state"][TRACE] = trace_of(header(scope, b"traceparent"), self._ids)
        exchange = _Exchange(receive, send, trace, self._clock, self._settings)
        try:
            exchange.admit(scope["path"], header(scope, b"content-length"))
            await self._app(scope, exchange.receive, exchange.send)
        except Exception as error:
            if not isinstance(error, Refused):
                failed(self._instrument, trace, error)
            if exchange.status:
                raise  # half an answer is out: the connection is cut, which is the one honest end
            await exchange.refuse(error if isinstance(error, Refused) else Internal())
        finally:
            route = scope.get("path_template") or "none"
            self._requests.add(route, scope["method"], str(exchange.status))
            self._seconds.observe(self._clock.now() - began, route)
            self._instrument.debug(
                "http answered",
                trace=trace.id,
                method=scope["method"],
                route=route,
                status=exchange.status,
                elapsedMs=round((self._clock.now() - began) * 1000),
            )


class _Exchange:
    """One request and its answer, as the application sees them."""

    __slots__ = ("_clock", "_limit", "_receive", "_send", "_size", "_trace", "_until", "_whole", "status")

    def __init__(self, receive: Receive, send: Send, trace: Trace, clock: Clock, settings: ServerSettings) -> None:
        self._receive = receive
        self._send = send
        self._trace = trace
        self._clock = clock
        self._limit = settings.max_body
        self._until = clock.now() + settings.body_timeout
        self._size = 0
        self._whole = False
        self.status = 0
        """Of the answer; 0: none has begun."""

    def admit(self, path: str, length: bytes | None) -> None:
        """Refuse what can be refused unread. `length`: what is said of the body's."""
        if len(path) > LONGEST_PATH:
            raise NotFound
        if length is not None and int(length) > self._limit:
            raise TooLarge(f"At most {self._limit} bytes")

    async def receive(self) -> Any:
        """The next piece of the body; `TooLarge`, `TooSlow`. Once it is whole: when the caller has gone."""
        if self._whole:
            return await self._receive()
        try:
            async with self._clock.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise TooSlow("The body did not come in time") from None
        if message["type"] == "http.request":
            self._size += len(message["body"])
            self._whole = not message["more_body"]
            if self._size > self._limit:
                raise TooLarge(f"At most {self._limit} bytes")
        return message

    async def send(self, message: Message) -> None:
        """A piece of the answer; the first gets the headers that all answers have."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message["headers"], (b"traceresponse", self._trace.response)]
            own = {name for name, _ in headers}
            headers.extend(each for each in SECURITY if each[0] not in own)
            message["headers"] = headers
        await self._send(message)

    async def refuse(self, refused: Refused) -> None:
        """Answer with a problem."""
        headers = [(name.encode(), value.encode()) for name, value in headers_of(refused).items()]
        body = body_of(refused, self._trace)
        headers.append((b"content-length", str(len(body)).encode()))
        await self.send({"type": "http.response.start", "status": problem_of(refused).status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body, "more_body": False})


def failed(instrument: Instrument, trace: Trace, error: Exception) -> None:
    """Log a fault of our own. Its message is left out: it may quote what belongs to a person."""
    if isinstance(error, LitestarException) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # what the framework has wrapped, because half an answer is out
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)[-8:]]
    instrument.error("http failed", trace=trace.id, error=type(error).__name__, at=where)

"""Connections: uvicorn's, with the limits that it lacks. Nothing else knows that server.

How many there are, in all and of one address; how long and how large a request's headers may be, how much may stand around
its body, and how many requests may wait behind another; how slowly a reader may take its answer, and how much may wait for
all readers together; whose certificate the other side has shown. A body's limits are the front's, who can answer in words.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import Iterable, Mapping
from email.utils import formatdate
from typing import Any

from uvicorn import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from esclusa.edges.http.front import ADMIT, SECURITY, Front
from esclusa.edges.http.problems import body_of, headers_of, problem_of
from esclusa.edges.http.settings import ServerSettings
from esclusa.edges.http.stall import StallGuard
from esclusa.edges.http.trace import trace_of
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import HeadersTooLarge, Malformed, Refused, TooLarge, TooSlow, Unavailable
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument

KEEP_ALIVE = 60
"""Seconds that a connection may lie idle between two requests."""
LINGER = 2.0
"""Seconds that a caller who is refused has to read why, while what it still sends is thrown away."""
BEHIND = 8
"""Requests of one connection that may wait for the answer before them; their headers together are no larger than one's."""
FRAMING = 8
"""Bytes of framing allowed for each byte of body: chunks of a single byte need five."""
SMALL = 64 * 1024
"""Bytes of an answer that is sent however much else is being sent: what a socket's buffers hold anyway."""
_SILENT = logging.Logger("uvicorn", level=logging.CRITICAL + 1)  # noqa: LOG001 - not among those that can be configured: it is never to speak
"""The front has said everything that uvicorn would."""


class Connections:
    """All connections of one listener."""

    def __init__(
        self,
        app: Front,
        settings: ServerSettings,
        clock: Clock,
        ids: Ids,
        instrument: Instrument,
        *,
        state: Mapping[str, Any],
    ) -> None:
        """`state`: what every request's scope has in its `state`."""
        self.settings = settings
        self.clock = clock
        self.ids = ids
        self.scope_state = dict(state)
        self.config = Config(
            app,
            interface="asgi3",
            ws=None,  # type: ignore[arg-type]  # uvicorn takes None for no websockets, and its annotation doesn't say so
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
        )
        self.config.load()
        self.server = ServerState()
        self.refused = instrument.counter(
            "esclusa_http_refused_total", "Connections closed, and requests refused before they were one", "reason"
        )
        self._addresses: Counter[str] = Counter()
        self._nobody = asyncio.Event()
        self._nobody.set()
        self.tick()

    def __len__(self) -> int:
        """How many are open."""
        return len(self.server.connections)

    @property
    def unsent(self) -> int:
        """Bytes of answers that sockets have not taken. Looks at every connection: about 0.1 ms a thousand."""
        return sum(connection.unsent for connection in self.server.connections if isinstance(connection, Connection))

    def open(self) -> Connection:
        """A protocol for a new connection."""
        return Connection(self)

    def tick(self) -> None:
        """Set the header `Date` of answers: once a second is enough."""
        self.server.default_headers = [(b"date", formatdate(self.clock.now(), usegmt=True).encode())]

    def admit(self, address: str | None) -> bool:
        """Whether one more fits, already counted; `address`: None on a local socket."""
        self._nobody.clear()
        if address is not None:
            self._addresses[address] += 1
        if len(self) > self.settings.max_connections:
            self.refused.add("connections")
            return False
        if address is not None and self._addresses[address] > self.settings.max_connections_per_address:
            self.refused.add("connections-of-address")
            return False
        return True

    def left(self, address: str | None) -> None:
        """One is closed."""
        if address is not None:
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]
        if not self.server.connections:
            self._nobody.set()

    async def drain(self) -> None:
        """Close what is idle, let the rest finish its answer, and wait for it."""
        for connection in list(self.server.connections):
            connection.shutdown()
        await self._nobody.wait()

    async def stop(self) -> None:
        """Close everything, whatever it is doing."""
        for connection in list(self.server.connections):
            connection.transport.abort()
        tasks = list(self.server.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._nobody.wait()


class _Flow(FlowControl):
    """Knows whether a piece of an answer waits for those before it."""

    waiting = 0

    async def drain(self) -> None:
        self.waiting += 1
        try:
            await super().drain()
        finally:
            self.waiting -= 1


class Connection(HttpToolsProtocol):
    """One connection."""

    def __init__(self, all_: Connections) -> None:
        super().__init__(all_.config, all_.server, all_.scope_state)
        self.logger = _SILENT
        self.access_log = False
        self._all = all_
        self._heading = True
        """Between two requests, or within the headers of one."""
        self._heading_bytes = 0
        self._rest_bytes = 0
        """Of one request, all that came after its headers; of these, those of its body:"""
        self._body_bytes = 0
        self._refusal: Refused | None = None
        self._deaf = False
        """What still comes is thrown away: it has been refused."""
        self._deadline: asyncio.TimerHandle | None = None
        self._admitted = 0
        """Bytes of the last piece of an answer that was admitted."""
        self._whole = 0
        """Bytes of the largest before it, of what the socket has not taken all of."""
        self._tls: dict[object, object] | None = None

    @property
    def _address(self) -> str | None:
        return None if self.client is None else self.client[0]

    @property
    def unsent(self) -> int:
        """Bytes of answers that the socket has not taken, or that wait to be handed to it.

        A piece of which some is left is held whole, and counts so.
        """
        left = self.transport.get_write_buffer_size()
        if self.flow.waiting:
            return max(left, self._whole) + self._admitted
        return max(left, self._whole, self._admitted) if left else 0

    def admit(self, size: int) -> None:
        """Let a piece of an answer of `size` bytes be sent; `Unavailable` when too much is being sent already."""
        if size > SMALL and self._all.unsent + size > self._all.settings.max_unsent:
            self._all.refused.add("unsent")
            raise Unavailable("Too many answers are being sent", retry_after=1)
        self._next(size)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Let it in or not."""
        super().connection_made(transport)
        self.flow: _Flow = _Flow(transport)  # pyright: ignore[reportIncompatibleVariableOverride]  # ours in place of uvicorn's
        self._stall = StallGuard(transport, self._all.settings.body_timeout, self._all.clock, self._all.refused)
        if not self._all.admit(self._address):
            self._deaf = True
            transport.abort()
            return
        self._tls = _tls(transport)
        self._within(self._all.settings.header_timeout)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of it."""
        super().connection_lost(exc)
        self._cancel_deadline()
        self._stall.end()
        self._all.left(self._address)

    def data_received(self, data: bytes) -> None:
        """Parse, within the limits of headers and of what stands around a body."""
        if self._deaf:
            return
        if self._heading:
            if not self._heading_bytes:
                self._cancel_deadline()  # that of a connection with nothing on it
            self._heading_bytes += len(data)
        else:
            self._rest_bytes += len(data)
        super().data_received(data)
        if self._heading and self._heading_bytes:
            self._look_at_headers()
        elif not self._heading and not self._deaf:
            self._look_at_framing()

    def on_message_begin(self) -> None:
        """Say in the scope what may be sent, and whose certificate the other side has shown."""
        super().on_message_begin()
        self.scope.setdefault("state", {})[ADMIT] = self.admit
        if self._tls is not None:
            self.scope["extensions"] = {"tls": dict(self._tls)}

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head; trailers are left out."""
        if self._heading:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Serve the request, unless its headers came in one piece that is too large, or too much is waiting before it."""
        self._cancel_deadline()
        self._heading, self._heading_bytes = False, 0
        self._rest_bytes = self._body_bytes = 0
        size = _size(self.url, self.headers)
        if size > self._all.settings.max_header:
            self._refusal = self._too_large()
        elif self.pipeline and self._full(size):
            self._refusal = Unavailable("Too many requests behind one another", retry_after=1)
        if self._refusal is not None:
            raise self._refusal  # the parser stops, and says so to `send_400_response`
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """From here on the next request's headers may come."""
        super().on_message_complete()
        self._heading = True

    def on_response_complete(self) -> None:
        """A caller that is answered before it has sent its body need not go on: the connection ends."""
        self._next(0)
        super().on_response_complete()
        if self.cycle.response_complete and self.cycle.more_body and not self.transport.is_closing():
            self._linger()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words
        """What has come is no request."""
        self._refuse(self._refusal or Malformed("This is not HTTP"))

    def pause_writing(self) -> None:
        """The reader takes less than it is given."""
        super().pause_writing()
        self._stall.begin()

    def resume_writing(self) -> None:
        """The reader has caught up."""
        super().resume_writing()
        self._stall.end()

    def _unsupported_upgrade_warning(self) -> None:
        """A wish to speak another protocol is served as if it had not been made (RFC 9110, 7.8)."""

    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr]  # uvicorn's None before the first request

    def _next(self, admitted: int) -> None:
        """What was admitted has been handed over."""
        before = self._whole if self.transport.get_write_buffer_size() else 0
        self._whole, self._admitted = max(before, self._admitted), admitted

    def _gives_up(self) -> bool:
        """Tell whoever serves a request that the rest of it won't come; False when it is not its turn, or its answer has begun."""
        if self._heading or self.pipeline or not self.cycle.more_body or self.cycle.response_started:
            return False
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        return True

    def _full(self, size: int) -> bool:
        """Whether there is no place behind the requests that wait for one whose headers have `size` bytes."""
        waiting = sum(_size(cycle.scope["raw_path"], cycle.scope["headers"]) for cycle, _ in self.pipeline)
        return len(self.pipeline) >= BEHIND or waiting + size > self._all.settings.max_header

    def _look_at_framing(self) -> None:
        """More of a body has come, with what stands around it: sizes of chunks, their extensions, trailers."""
        if self._rest_bytes > 2 * self._all.settings.max_header + (1 + FRAMING) * self._body_bytes:
            self._refuse(TooLarge("The body has far more framing than content"))

    def _look_at_headers(self) -> None:
        """Headers have begun to come, and have not come whole."""
        if self._deaf:
            return
        if self._heading_bytes > self._all.settings.max_header:
            self._refuse(self._too_large())
        elif self._deadline is None and not self._busy():
            self._within(self._all.settings.header_timeout)

    def _too_large(self) -> HeadersTooLarge:
        return HeadersTooLarge(f"At most {self._all.settings.max_header} bytes")

    def _within(self, seconds: float) -> None:
        self._deadline = self._all.clock.call_at(self._all.clock.now() + seconds, self._late)

    def _late(self) -> None:
        self._deadline = None
        if self._heading_bytes:
            self._refuse(TooSlow("The headers did not come in time"))
        else:
            self.transport.close()

    def _refuse(self, refused: Refused) -> None:
        """Answer with a problem and close; behind an answer that is being given, only close."""
        self._cancel_deadline()
        self._all.refused.add(refused.name)
        self._deaf = True
        if self._busy() and not self._gives_up():
            self.cycle.keep_alive = False
            return
        trace = trace_of(None, self._all.ids)
        problem, body = problem_of(refused), body_of(refused, trace)
        headers = [
            *self._all.server.default_headers,
            *((name.encode(), value.encode()) for name, value in headers_of(refused).items()),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
            (b"traceresponse", trace.response),
            *SECURITY,
        ]
        lines = (b"%b: %b\r\n" % header for header in headers)
        self.transport.write(b"".join((STATUS_LINE[problem.status], *lines, b"\r\n", body)))
        self._linger()

    def _linger(self) -> None:
        """Say that nothing more comes, and close once that is read: to close at once could cut off what was said."""
        self._deaf = True
        self._unset_keepalive_if_required()
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self._deadline = self._all.clock.call_at(self._all.clock.now() + LINGER, self.transport.abort)
        else:
            self.transport.close()

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _size(url: bytes, headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Bytes of a request's address and headers."""
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers)


def _tls(transport: asyncio.Transport) -> dict[object, object] | None:
    """The ASGI extension `tls`, of a connection that has it."""
    secure = transport.get_extra_info("ssl_object")
    if secure is None:
        return None
    shown = secure.getpeercert(binary_form=True)
    return {
        "server_cert": None,
        "client_cert_chain": [] if shown is None else [ssl.DER_cert_to_PEM_cert(shown)],
        "client_cert_name": None,
        "client_cert_error": None,
        "tls_version": None,
        "cipher_suite": None,
    }

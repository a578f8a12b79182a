"""The HTTP client of one back end: a pool of connections, and calls that end in time."""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict
from functools import partial
from typing import Self

from esclusa.connectors.transport.call import Call, Done
from esclusa.connectors.transport.connection import Connection
from esclusa.connectors.transport.dialler import Allow, Dialler
from esclusa.connectors.transport.limits import Limits
from esclusa.connectors.transport.origin import Origin
from esclusa.connectors.transport.request import Request
from esclusa.connectors.transport.resolver import Lookup, Resolver, system_lookup
from esclusa.connectors.transport.response import Response
from esclusa.connectors.transport.tls import client_context
from esclusa.kernel.clock import CATCH_UP, Clock
from esclusa.kernel.errors import HttpError

_NEVER = float("inf")
_GRAIN = 0.001
"""Seconds: the grain of the event loop's timers, which may be that much early."""


class HttpClient:
    """Calls one back end over HTTP/1.1. Made inside a running event loop; an async context manager that closes it.

    - *Connections* are kept alive and used again, the last used first. While all of them are busy, calls wait in the
      order in which they came.
    - *Time*: every call is over by its `by`, whatever the back end does; its connection is closed then.
    - *Repetition*: a call is sent a second time, on a new connection, only if it went out on a kept-alive one that turned
      out to have been closed, nothing of an answer came, and the request is idempotent.
    - *Errors* are `HttpError`s, and never anything else; answers of any status are answers. Redirects are not followed.
    """

    def __init__(
        self,
        origin: Origin,
        clock: Clock,
        *,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        name: str | None = None,
        allow: Allow | None = None,
        lookup: Lookup = system_lookup,
    ) -> None:
        """A client with no connection yet.

        - `tls`: for an `https` origin, by `client_context`; unless given, one that trusts the system's authorities.
        - `name`: what the back end's certificate has to be for, where that is not the origin's host.
        - `allow`: whether an address that the host has may be called; all may, unless given.
        - `lookup`: finds the host's addresses.
        """
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._limits = limits or Limits()
        context = (tls or client_context()) if origin.scheme == "https" else None
        resolver = Resolver(origin.host, clock, lookup)
        self._dialler = Dialler(origin, clock, resolver, tls=context, name=name or origin.host, allow=allow)
        self._make = partial(Connection, self, origin.authority.encode(), self._limits)
        self._dial_name = f"dial {origin}"
        self._calls: set[Call] = set()
        """Every call that is not over."""
        self._waiting: OrderedDict[Call, None] = OrderedDict()
        self._dials: set[asyncio.Task[Connection]] = set()
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        """The last used last."""
        self._wake = _NEVER
        self._timer: asyncio.TimerHandle | None = None
        self._late = False
        """The process has stood still, and what it slept through is left until the timer goes off once more."""
        self._closed: asyncio.Future[None] | None = None

    @property
    def connections(self) -> int:
        """Connections that are open or being made."""
        return len(self._connections) + len(self._dials)

    @property
    def idle(self) -> int:
        """Open connections that no call is using."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """Calls that wait for a connection."""
        return len(self._waiting)

    def send(self, request: Request, by: float, done: Done) -> Call:
        """Make a call that is over `by` (seconds since the epoch), and tell `done` how it ended.

        `done` is called exactly once, after this has returned, with a `Response` or an `HttpError`; never after the
        call's `abort`.
        """
        call = Call(request, by, done, self)
        if self._closed is not None:
            self._refuse(call, HttpError("aborted", "the client is closed"))
        elif by <= self._clock.now():
            self._refuse(call, HttpError("timeout", "there was no time left for the call"))
        elif not (self._carry_idle(call) or self._dial(call) or self._queue(call)):
            self._refuse(call, HttpError("busy", f"{len(self._waiting)} calls are waiting already"))
        else:
            self._calls.add(call)
            if by < self._wake:
                self._wake_at(by)
        return call

    async def request(self, request: Request, by: float) -> Response:
        """Make a call and wait for its answer; raises the `HttpError`. Cancelling it aborts the call."""
        ending: asyncio.Future[Response | HttpError] = self._loop.create_future()
        call = self.send(request, by, lambda outcome: None if ending.done() else ending.set_result(outcome))
        try:
            outcome = await ending
        except asyncio.CancelledError:
            call.abort()
            raise
        if isinstance(outcome, HttpError):
            raise outcome
        return outcome

    def abort(self, call: Call) -> None:
        """As `Call.abort`."""
        if call.done is not None:
            call.done = None
            self._withdraw(call)

    async def close(self) -> None:
        """Close every connection; calls that are not over end with `aborted`. Returns when nothing is open any more."""
        if self._closed is None:
            self._closed = self._loop.create_future()
            for call in list(self._calls):
                self._cut(call, HttpError("aborted", "the client was closed"))
            for connection in list(self._connections):
                connection.close()
            if self._timer is not None:
                self._timer.cancel()
            self._note_if_empty()
        await asyncio.shield(self._closed)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # Where a call can be: on an idle connection, on one that is made for it, in the queue. True: there it is.

    def _carry_idle(self, call: Call) -> bool:
        while self._idle:
            if self._idle.pop().carry(call):
                return True
        return False

    def _dial(self, call: Call) -> bool:
        if self.connections >= self._limits.connections:
            return False
        task = self._loop.create_task(self._dialler.dial(self._make), name=self._dial_name)
        self._dials.add(task)
        call.place = task
        task.add_done_callback(partial(self._dialled, call))
        return True

    def _queue(self, call: Call) -> bool:
        if len(self._waiting) >= self._limits.waiting:
            return False
        self._waiting[call] = None
        return True

    # What happens to connections.

    def _dialled(self, call: Call, task: asyncio.Task[Connection]) -> None:
        self._dials.discard(task)
        error: HttpError | None = None
        if task.cancelled():
            error = HttpError("aborted", "the connection was given up while it was being made")
        elif (failure := task.exception()) is not None:
            error = failure if isinstance(failure, HttpError) else HttpError("connect", "no connection could be made")
            if error is not failure:
                self._report("making a connection failed in a way that was not foreseen", failure)
        else:
            connection = task.result()
            error = connection.failure
            if error is None:
                self._connections.add(connection)
                if call.done is None:
                    connection.close()
                else:
                    connection.carry(call)
        self._serve()
        if error is not None:
            self._end(call, error)
        self._note_if_empty()

    def ended(self, connection: Connection, call: Call, outcome: Response | HttpError, *, reusable: bool) -> None:
        """As a connection's `Owner`."""
        if reusable:
            self._release(connection)
        self._end(call, outcome)

    def lost(self, connection: Connection, call: Call | None, error: HttpError, *, stale: bool) -> None:
        """As a connection's `Owner`."""
        self._connections.discard(connection)
        if call is None:
            if connection in self._idle:
                self._idle.remove(connection)
        elif stale and call.request.idempotent:
            self._dial(call)  # in the place of the connection that is gone
            call = None
        self._serve()
        if call is not None:
            self._end(call, error)
        self._note_if_empty()

    def _release(self, connection: Connection) -> None:
        """`connection` is free: for the call that has waited longest, or to be kept for a while."""
        if connection.keep <= 0:
            connection.close()
        elif self._waiting:
            call, _ = self._waiting.popitem(last=False)
            if not connection.carry(call):
                self._waiting[call] = None
                self._waiting.move_to_end(call, last=False)
        else:
            connection.until = self._clock.now() + connection.keep
            self._idle.append(connection)
            if connection.until < self._wake:
                self._wake_at(connection.until)

    def _serve(self) -> None:
        """Connections for the calls that wait, as far as there may be any."""
        while self._waiting and self.connections < self._limits.connections:
            call, _ = self._waiting.popitem(last=False)
            self._dial(call)

    def _note_if_empty(self) -> None:
        if self._closed is not None and not self._closed.done() and not self.connections:
            self._closed.set_result(None)

    # How calls end.

    def _refuse(self, call: Call, error: HttpError) -> None:
        self._loop.call_soon(self._end, call, error)

    def _end(self, call: Call, outcome: Response | HttpError) -> None:
        done, call.done = call.done, None
        if done is None:
            return
        call.place = None
        self._calls.discard(call)
        if isinstance(outcome, HttpError):
            outcome.sent = call.sent
        try:
            done(outcome)
        except Exception as error:  # noqa: BLE001 - whoever raises here must not take other calls along
            self._report("the callback of an HTTP call failed", error)

    def _cut(self, call: Call, error: HttpError) -> None:
        self._withdraw(call)
        self._end(call, error)

    def _withdraw(self, call: Call) -> None:
        """Take `call` away from where it is."""
        self._calls.discard(call)
        place, call.place = call.place, None
        if place is None:
            self._waiting.pop(call, None)
        elif isinstance(place, asyncio.Task):
            place.cancel()
        else:
            place.close()

    # One timer a client, set to what comes first: the end of a call, or of an idle connection. That is far cheaper than
    # one a call, and both are few enough to be looked through when it goes off.

    def _wake_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._wake = when
        self._timer = self._clock.call_at(when, self._tick)

    def _tick(self) -> None:
        wake, self._wake, self._timer = self._wake, _NEVER, None
        self._late = not self._late and self._clock.stood_still(wake)
        if self._late:
            self._wake_at(self._clock.now() + CATCH_UP)
            return
        now = self._clock.now() + _GRAIN
        for call in [call for call in self._calls if call.by <= now]:
            self._cut(call, HttpError("timeout", _unfinished(call)))  # nothing, if another's `done` has aborted it
        for connection in [connection for connection in self._idle if connection.until <= now]:
            self._idle.remove(connection)
            connection.close()
        following = min(
            min((call.by for call in self._calls), default=_NEVER),
            min((connection.until for connection in self._idle), default=_NEVER),
        )
        if following < self._wake:
            self._wake_at(following)

    def _report(self, message: str, error: BaseException) -> None:
        self._loop.call_exception_handler({"message": message, "exception": error})


def _unfinished(call: Call) -> str:
    if call.place is None:
        return "no connection became free in time"
    if isinstance(call.place, asyncio.Task):
        return "no connection was made in time"
    return "no whole answer came in time"

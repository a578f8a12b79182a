"""The HTTP client of one back end: a pool of connections, and calls that end in time."""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict
from functools import partial

from esclusa.connectors.transport.call import Call, Done
from esclusa.connectors.transport.connection import Connection
from esclusa.connectors.transport.dialler import Allow, Dialler
from esclusa.connectors.transport.limits import Limits
from esclusa.connectors.transport.origin import Origin
from esclusa.connectors.transport.request import Request
from esclusa.connectors.transport.resolver import Lookup, Resolver, system_lookup
from esclusa.connectors.transport.response import Response
from esclusa.connectors.transport.tls import client_context
from esclusa.kernel.clock import Clock
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
        self._calls: set[Call] = set()
        """Every call that is not over."""
        self._waiting: OrderedDict[Call, None] = OrderedDict()
        self._dials: set[asyncio.Task[Connection]] = set()
        self._connections: set[Connection] = set()
        self._idle: list[Connection] = []
        """The last used last."""
        self._wake = _NEVER
        self._timer: asyncio.TimerHandle | None = None
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

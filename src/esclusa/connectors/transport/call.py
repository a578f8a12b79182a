"""One call from its sending to its end: a small object that goes from hand to hand, with no task and no future."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from esclusa.connectors.transport.request import Request
from esclusa.connectors.transport.response import Response
from esclusa.kernel.errors import HttpError

Done = Callable[[Response | HttpError], None]
"""Told how a call ended. Called on the event loop; it may send or abort calls, and must not raise."""


class Carrier(Protocol):
    """A connection, as far as a call knows it."""

    def close(self) -> None:
        """Close it; what it carries is over."""


class Aborter(Protocol):
    """Who can take a call back."""

    def abort(self, call: Call) -> None:
        """End `call` without a word to its `done`."""


class Call:
    """A request under way. Made by `HttpClient.send`."""

    __slots__ = ("_aborter", "by", "done", "place", "request", "sent")

    def __init__(self, request: Request, by: float, done: Done, aborter: Aborter) -> None:
        self.request = request
        self.by = by
        """When it has to be over, in seconds since the epoch."""
        self.done: Done | None = done
        """None once it is over."""
        self.place: Carrier | asyncio.Task[Any] | None = None
        """The connection that carries it, or the making of one; None while it waits."""
        self.sent = False
        """Some of its request has been handed to a socket."""
        self._aborter = aborter

    def abort(self) -> None:
        """End it now: its connection is closed, and `done` is not called any more. Does nothing once it is over."""
        self._aborter.abort(self)

"""One call from its sending to its end: a small object that goes from hand to hand, with no task and no future."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from esclusa.connectors.transport.request import Request
from esclusa.connectors.transport.response import Response
from esclusa.kernel.errors import HttpError

if TYPE_CHECKING:
    from esclusa.connectors.transport.connection import Connection

Done = Callable[[Response | HttpError], None]
"""Told how a call ended. Called on the event loop; it may send or abort calls, and must not raise."""


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
        self.place: Connection | asyncio.Task[Connection] | None = None
        """The connection that carries it, or the making of one; None while it waits."""
        self.sent = False
        """Some of its request has been handed to a socket."""
        self._aborter = aborter

    def abort(self) -> None:
        """End it now: its connection is closed, and `done` is not called any more. Does nothing once it is over."""
        self._aborter.abort(self)

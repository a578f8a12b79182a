"""A client whose calls are looked at: what it sends and what comes is told to a tap."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from esclusa.connectors.transport import Done, HttpError, Origin, Request, Response

if TYPE_CHECKING:
    from esclusa.connectors.http.client import Client, Sent
    from esclusa.connectors.tap import Tap


class TappedClient:
    """Tells what it is to send, and what comes."""

    def __init__(self, client: Client, origin: Origin, tap: Tap) -> None:
        """`client` is closed with this."""
        self._client = client
        self._origin = origin
        self._tap = tap

    def send(self, request: Request, by: float, done: Done) -> Sent:
        """As `HttpClient.send`."""
        head, _, body = request.wire(self._origin.authority.encode()).partition(b"\r\n\r\n")
        first, *fields = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        self._tap.saw("request", "\n".join([f"{method} {self._origin}{target}", *fields]), body)
        return self._client.send(request, by, partial(self._ended, done))

    async def close(self) -> None:
        """As `HttpClient.close`."""
        await self._client.close()

    def _ended(self, done: Done, ending: Response | HttpError) -> None:
        if isinstance(ending, Response):
            fields = [f"{name.decode('latin-1')}: {value.decode('latin-1')}" for name, value in ending.headers]
            self._tap.saw("answer", "\n".join([str(ending.status), *fields]), ending.body, ending.charset)
        elif ending.kind == "aborted":
            self._tap.saw("failed", "no answer had come when the call was over")
        else:
            self._tap.missed(ending)
        done(ending)

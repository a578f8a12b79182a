"""The HTTP client of one back end, as its connector's settings say, with a token where it takes one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from esclusa.connectors.http.contexts import is_secure
from esclusa.connectors.http.oauth2 import Token, TokenSource, TokenSources
from esclusa.connectors.settings import CredentialsSettings, OAuth2Credentials
from esclusa.connectors.transport import Done, HttpClient, HttpError, Limits, Origin, Request, Response
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import UnusableSettings

if TYPE_CHECKING:
    import asyncio

    from esclusa.connectors.http.settings import HttpSettings
    from esclusa.connectors.protocol import Workshop
    from esclusa.connectors.tap import Tap

_UNAUTHORIZED = 401


class Sent(Protocol):
    """A call under way."""

    def abort(self) -> None:
        """End it without a word."""


class Client(Protocol):
    """What calls a back end: as `HttpClient`."""

    def send(self, request: Request, by: float, done: Done) -> Sent:
        """Make a call that is over `by`, and tell `done` how it ended."""

    async def close(self) -> None:
        """Close every connection."""


def make_client(
    url: str, name: str, settings: HttpSettings, credentials: CredentialsSettings | None, workshop: Workshop
) -> Client:
    """The client of the connector `name` for the origin of `url`. `UnusableSettings`."""
    tls = workshop.contexts.dial(url, settings, credentials, name)
    limits = Limits(connections=settings.concurrency, waiting=settings.concurrency, max_body=workshop.max_answer)
    origin = Origin.of(url)
    client: Client = HttpClient(origin, workshop.clock, limits=limits, tls=tls, name=settings.tls.name)
    if workshop.tap is not None:
        client = TappedClient(client, origin, workshop.tap)
    if not isinstance(credentials, OAuth2Credentials):
        return client
    try:
        trusted = workshop.contexts.of(credentials.ca, None) if is_secure(credentials.url) else None
    except ValueError as error:
        raise UnusableSettings(("credentials", settings.credentials or "", "ca"), str(error)) from error
    source = workshop.tokens.take(credentials, workshop.clock, trusted)
    return AuthorizedClient(client, source, workshop.tokens, workshop.clock)


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
        if isinstance(ending, HttpError):
            self._tap.missed(ending)
        else:
            fields = [f"{name.decode('latin-1')}: {value.decode('latin-1')}" for name, value in ending.headers]
            self._tap.saw("answer", "\n".join([str(ending.status), *fields]), ending.body, ending.charset)
        done(ending)


class AuthorizedClient:
    """Shows a token with every call, and another one where that is refused: a call that was refused has done nothing."""

    def __init__(self, client: Client, source: TokenSource, sources: TokenSources, clock: Clock) -> None:
        """`client` is closed with this, and `source` is given back to `sources`."""
        self.client = client
        self.source = source
        self.clock = clock
        self._sources = sources

    def send(self, request: Request, by: float, done: Done) -> Sent:
        """As `HttpClient.send`; `request` has no `Authorization`. Waiting for a token is part of the call."""
        return _AuthorizedCall(self, request, by, done)

    async def close(self) -> None:
        """As `HttpClient.close`."""
        await self.client.close()
        await self._sources.release(self.source)


class _AuthorizedCall:
    """From token to token: waits for one, or calls, until `done` or `abort` has been called."""

    __slots__ = ("_abort", "_by", "_done", "_owner", "_renewed", "_request", "_timer", "_token")

    def __init__(self, owner: AuthorizedClient, request: Request, by: float, done: Done) -> None:
        self._owner = owner
        self._request = request
        self._by = by
        self._done = done
        self._token: Token | None = None
        self._renewed = False
        self._timer: asyncio.TimerHandle | None = None
        self._abort: Callable[[], None]
        self._call()

    def abort(self) -> None:
        """As a call's."""
        self._over()
        self._abort()

    def _call(self) -> None:
        """With the token that there is; or wait for one."""
        self._token = self._owner.source.token
        if self._token is None:
            self._wait()
        else:
            self._send(self._token.header)

    def _wait(self) -> None:
        self._timer = self._owner.clock.call_at(self._by, self._late)
        self._abort = self._owner.source.wait(self._ready)

    def _ready(self, said: bytes | HttpError) -> None:
        self._over()
        if isinstance(said, HttpError):
            self._done(said)
        else:
            self._token = self._owner.source.token
            self._send(said)

    def _send(self, header: bytes) -> None:
        request = self._request.adding(b"authorization", header)
        self._abort = self._owner.client.send(request, self._by, self._ended).abort

    def _ended(self, ending: Response | HttpError) -> None:
        if isinstance(ending, Response) and ending.status == _UNAUTHORIZED and self._token is not None and not self._renewed:
            self._renewed = True
            if self._owner.source.refused(self._token):
                self._call()
                return
        self._done(ending)

    def _late(self) -> None:
        self._timer = None
        self._abort()
        self._done(HttpError("timeout", "no token came in time"))

    def _over(self) -> None:
        """Nothing is waited for any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

"""The HTTP client of one back end, as its connector's settings say, with a token where it takes one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from esclusa.connectors.http.contexts import is_secure
from esclusa.connectors.http.oauth2 import Token, TokenSource, TokenSources
from esclusa.connectors.http.tapped import TappedClient
from esclusa.connectors.settings import CredentialsSettings, OAuth2Credentials
from esclusa.connectors.transport import Done, HttpClient, HttpError, Limits, Origin, Request, Response
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import UnusableSettings

if TYPE_CHECKING:
    import asyncio

    from esclusa.connectors.http.settings import HttpSettings
    from esclusa.connectors.protocol import Workshop

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
    source = workshop.tokens.take(credentials, workshop.clock, trusted, workshop.tap)
    return AuthorizedClient(client, source, workshop.tokens, workshop.clock)


class AuthorizedClient:
    """Shows a token with every call, and another one where that is refused: a call that was refused has done nothing."""

    def __init__(self, client: Client, source: TokenSource, sources: TokenSources, clock: Clock) -> None:
        """`client` is closed with this, and `source` is given back to `sources`."""
        self.client = client
        self.source = source
        self.clock = clock
        self.waiting: set[_AuthorizedCall] = set()
        """Calls that wait for a token."""
        self._sources = sources
        self._closed = False

    def send(self, request: Request, by: float, done: Done) -> Sent:
        """As `HttpClient.send`; `request` has no `Authorization`. Waiting for a token is part of the call."""
        if self._closed:
            return self.client.send(request, by, done)  # which lets nothing out any more, and says so
        return _AuthorizedCall(self, request, by, done)

    async def close(self) -> None:
        """As `HttpClient.close`; others may go on waiting for the same token."""
        self._closed = True
        await self.client.close()
        while self.waiting:  # who is told may take others back
            next(iter(self.waiting)).cut()
        await self._sources.release(self.source)


class _AuthorizedCall:
    """From token to token: waits for one, or calls, until `done` or `abort` has been called."""

    __slots__ = ("_abort", "_by", "_done", "_owner", "_refusal", "_request", "_timer", "_token")

    def __init__(self, owner: AuthorizedClient, request: Request, by: float, done: Done) -> None:
        self._owner = owner
        self._request = request
        self._by = by
        self._done = done
        self._token: Token | None = None
        """The one that was shown last."""
        self._refusal: Response | None = None
        """What a back end said to the first one."""
        self._timer: asyncio.TimerHandle | None = None
        self._abort: Callable[[], None]
        self._call()

    def abort(self) -> None:
        """As a call's."""
        self._over()
        self._abort()

    def cut(self) -> None:
        """It waits in vain: the client is closed."""
        self._give_up(HttpError("aborted", "the client was closed"))

    def _call(self) -> None:
        """With the token that there is, unless it has been refused; or wait for one."""
        token = self._owner.source.token
        if token is None or token is self._token:
            self._wait()
        else:
            self._token = token
            self._send(token.header)

    def _wait(self) -> None:
        self._owner.waiting.add(self)
        self._timer = self._owner.clock.call_at(self._by, self._late)
        self._abort = self._owner.source.wait(self._ready)

    def _ready(self, said: bytes | HttpError) -> None:
        self._over()
        if isinstance(said, HttpError):
            self._done(said)
        elif self._refusal is not None and self._token is not None and said == self._token.header:
            self._done(self._refusal)  # its server gives the same one again
        else:
            self._token = self._owner.source.token
            self._send(said)

    def _send(self, header: bytes) -> None:
        request = self._request.adding(b"authorization", header)
        self._abort = self._owner.client.send(request, self._by, self._ended).abort

    def _ended(self, ending: Response | HttpError) -> None:
        if isinstance(ending, Response) and ending.status == _UNAUTHORIZED and self._refusal is None:
            self._refusal = ending
            if self._token is not None and self._owner.source.replaceable(self._token):
                self._call()
                return
        self._done(ending)

    def _late(self) -> None:
        self._give_up(HttpError("timeout", "no token came in time"))

    def _give_up(self, error: HttpError) -> None:
        self.abort()
        self._done(error)

    def _over(self) -> None:
        """Nothing is waited for any more."""
        self._owner.waiting.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

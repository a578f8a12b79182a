"""Tokens of OAuth 2.0 for a client of its own, with no user: the client credentials grant (RFC 6749, 4.4).

A token is asked for when the first call needs it, kept in memory, and renewed before it ends while calls still show the one
before; so it is where a back end refuses one that others may take. Whatever the number of calls that wait, there is one
request for a token at a time.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import Callable, Collection
from functools import partial
from urllib.parse import quote_plus, urlencode, urlsplit

import msgspec

from esclusa.connectors.http.tapped import TappedClient
from esclusa.connectors.settings import OAuth2Credentials
from esclusa.connectors.tap import Tap
from esclusa.connectors.transport import HttpClient, HttpError, Limits, Origin, Request, Response
from esclusa.kernel.clock import Clock

UNSAID = 300.0
"""Seconds for which a token is good whose server does not say it; refused earlier, it is renewed."""
LONGEST = 86_400.0
"""Seconds after which a token is renewed, whatever its server says."""
PAUSE = 1.0
"""Seconds after a failure in which no token is asked for again."""
YOUNG = 5.0
"""Seconds: a token that is refused before it is as old as this is not renewed, since the next would be refused, too."""
MAX_ANSWER = 64 * 1024
_TOKENS = re.compile(rb'_token"\s*:\s*"([^"]+)"|_token=([^&\s]+)')
"""Tokens in an answer of their server, be it as it should be or not."""

_CODES = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope"}
)
"""What a server of tokens may say of a request that it refuses (RFC 6749, 5.2): these words are not its own."""
_OK = 200

Ready = Callable[[bytes | HttpError], None]
"""Told the value of the header `Authorization`, or why there is none."""


class _Granted(msgspec.Struct):
    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - a kind of token
    expires_in: float | str | None = None


class _Refused(msgspec.Struct):
    error: str = ""


_granted = msgspec.json.Decoder(_Granted).decode
_refused = msgspec.json.Decoder(_Refused).decode


class Token(msgspec.Struct, frozen=True):
    """What is shown to a back end."""

    header: bytes
    """The value of `Authorization`."""
    since: float
    """When it came, in seconds since the epoch, as the next two."""
    renew: float
    """From here on a new one is asked for, while this is shown."""
    until: float
    """From here on it is not shown any more."""

    def __repr__(self) -> str:
        return f"Token(header=***, since={self.since}, renew={self.renew}, until={self.until})"


class TokenSource:
    """The tokens of one set of credentials."""

    def __init__(self, settings: OAuth2Credentials, clock: Clock, tls: ssl.SSLContext | None, tap: Tap | None = None) -> None:
        """Nothing is asked for yet; made inside a running event loop. `tls`: as `HttpClient`; `tap`: told what is asked, and what comes.

        `ValueError` or `InvalidRequest` for settings that can't be sent.
        """
        self.settings = settings
        self.users = 0
        """Clients that show them."""
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._request = _request_of(settings)
        self._tap = tap
        origin = Origin.of(settings.url)
        client = HttpClient(origin, clock, limits=Limits(connections=1, max_body=MAX_ANSWER), tls=tls)
        self._client = client if tap is None else TappedClient(client, origin, tap)
        self._token: Token | None = None
        self._asking = False
        self._waiting: dict[object, Ready] = {}
        self._failed: tuple[float, HttpError] | None = None
        """Until when nothing is asked for, and why."""

    @property
    def token(self) -> Token | None:
        """One that can be shown now. Where it is going to end soon, the next is asked for meanwhile."""
        token, now = self._token, self._clock.now()
        if token is None or now >= token.until:
            return None
        if now >= token.renew and not self._asking and not self._paused(now):
            self._ask(now)
        return token

    def wait(self, ready: Ready) -> Callable[[], None]:
        """Tell `ready`, later, the next token, or why there is none. Returns what takes that back."""
        key = object()
        self._waiting[key] = ready
        now = self._clock.now()
        if self._asking:
            pass
        elif (failed := self._paused(now)) is not None:
            self._loop.call_soon(self._tell, failed)
        else:
            self._ask(now)
        return partial(self._forget, key)

    def _forget(self, key: object) -> None:
        self._waiting.pop(key, None)

    def replaceable(self, token: Token) -> bool:
        """Whether there is another one for who was refused with `token`, or one can be waited for.

        `token` stays good for all others: that one back end does not take it says nothing of theirs.
        """
        return token is not self._token or self._clock.now() - token.since >= YOUNG

    async def close(self) -> None:
        """Those who wait are told that there is none."""
        await self._client.close()

    def _paused(self, now: float) -> HttpError | None:
        return self._failed[1] if self._failed is not None and now < self._failed[0] else None

    def _ask(self, now: float) -> None:
        self._asking = True
        self._client.send(self._request, now + self.settings.timeout, self._answered)

    def _answered(self, ending: Response | HttpError) -> None:
        self._asking = False
        if self._tap is not None and isinstance(ending, Response):
            self._tap.secrets += (found.decode("latin-1") for pair in _TOKENS.findall(ending.body) for found in pair if found)
        now = self._clock.now()
        try:
            token = self._token_of(ending, now)
        except ValueError as error:
            failed = HttpError("token", str(error))
            self._failed = now + PAUSE, failed
            self._tell(failed)
        else:
            self._token, self._failed = token, None
            self._tell(token.header)

    def _tell(self, said: bytes | HttpError) -> None:
        for key in list(self._waiting):
            ready = self._waiting.pop(key, None)  # who was told before may have taken others back
            if ready is not None:
                ready(said)

    def _token_of(self, ending: Response | HttpError, now: float) -> Token:
        """`ValueError`, in our words, where it is none."""
        if isinstance(ending, HttpError):
            raise ValueError(  # noqa: TRY004 - of an answer, not of a program
                "its server did not answer in time"
                if ending.kind == "timeout"
                else f"its server can't be asked ({ending.kind})"
            )
        if ending.status != _OK:
            raise ValueError(f"its server answered with status {ending.status}{_code_of(ending.body)}")
        try:
            granted = _granted(ending.body)
            seconds = UNSAID if granted.expires_in is None else float(granted.expires_in)
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise ValueError("its server answered with something else") from None
        if granted.token_type.lower() != "bearer":
            raise ValueError("its server gave one of another type than Bearer")
        if not granted.access_token:
            raise ValueError("its server gave an empty one")
        if not granted.access_token.isascii() or not granted.access_token.isprintable() or " " in granted.access_token:
            raise ValueError("its server gave one that can't be sent")
        seconds = min(max(seconds, 0.0), LONGEST) if seconds == seconds else UNSAID  # noqa: PLR0124 - a NaN
        renew = now + seconds - min(self.settings.early, seconds / 2)
        return Token(f"Bearer {granted.access_token}".encode(), now, renew, now + seconds)


class TokenSources:
    """Those of all connectors: who shows the same credentials shows the same token."""

    def __init__(self) -> None:
        self._made: list[TokenSource] = []

    def take(
        self, settings: OAuth2Credentials, clock: Clock, tls: ssl.SSLContext | None, tap: Tap | None = None
    ) -> TokenSource:
        """The source by `settings`; to be given back with `release`. The others as `TokenSource`."""
        source = next((source for source in self._made if source.settings == settings), None)
        if source is None:
            source = TokenSource(settings, clock, tls, tap)
            self._made.append(source)
        source.users += 1
        return source

    async def release(self, source: TokenSource) -> None:
        """Closes it once nobody has it."""
        source.users -= 1
        if not source.users:
            self._made.remove(source)
            await source.close()


def check_url(url: str) -> None:
    """`ValueError` or `InvalidRequest` for an address at which no server of tokens can be asked."""
    Origin.of(url)
    Request("POST", _target_of(url))


def check_parameters(parameters: Collection[str]) -> None:
    """`ValueError` for what is sent to it anyway."""
    if reserved := {"grant_type", "scope", "client_id", "client_secret"}.intersection(parameters):
        raise ValueError(f"{min(reserved)} is sent already: leave it out of the parameters")


def _target_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def _request_of(settings: OAuth2Credentials) -> Request:
    form = {"grant_type": "client_credentials", **settings.parameters}
    if settings.scope is not None:
        form["scope"] = settings.scope
    headers = [(b"accept", b"application/json"), (b"content-type", b"application/x-www-form-urlencoded")]
    if settings.shown == "basic":
        # both are encoded as in a form before they are joined (RFC 6749, 2.3.1)
        pair = f"{quote_plus(settings.client_id)}:{quote_plus(settings.client_secret)}"
        headers.append((b"authorization", b"Basic " + base64.b64encode(pair.encode())))
    else:
        form |= {"client_id": settings.client_id, "client_secret": settings.client_secret}
    return Request("POST", _target_of(settings.url), tuple(headers), urlencode(form).encode())


def _code_of(body: bytes) -> str:
    """Why it refuses, where it says so by the standard."""
    try:
        code = _refused(body).error
    except (msgspec.DecodeError, RecursionError):
        return ""
    return f" ({code})" if code in _CODES else ""

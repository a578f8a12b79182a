"""What the configuration says of any connector, `[connectors.NAME]`, whatever its protocol; and of `[credentials.NAME]`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from esclusa.kernel.duration import Duration
from esclusa.kernel.settings import FilePath, Fraction, Positive, Secret, Settings


class BreakerSettings(Settings, frozen=True, kw_only=True):
    """When to stop asking a back end that fails, and when to try again (H13)."""

    failures: Positive = 5
    """Consecutive failures that open it."""
    open_for: Duration = Duration(30)
    """How long it stays open before a probe is let through."""
    counts: list[str] | None = None
    """What it counts as a failure: `timeout`, `connection`, `answer` (one that can't be used), `fault`, and statuses such as
    `"404"` and `"5xx"`. Unless given: what tells that the back end is not well, among them 5xx and 429, but no other 4xx.
    With an empty list it never opens."""
    rate: Fraction | None = None
    """Failures per call over `window` that open it as well; not looked at unless given."""
    window: Duration = Duration(60)
    """The stretch of time that `rate` looks at."""
    calls: Positive = 20
    """Calls in `window` below which `rate` says nothing."""
    probes: Positive = 1
    """Calls let through while half open; that many successes close it, one failure opens it again."""


class RetrySettings(Settings, frozen=True, kw_only=True):
    """Further attempts, of what is safe to repeat only (P9)."""

    attempts: Positive = 1
    """Attempts in all; 1: no retry."""
    first: Duration = Duration(0.1)
    """The longest wait before the second attempt; it doubles from attempt to attempt, with full jitter."""
    most: Duration = Duration(2)
    """The longest wait before any attempt, beyond what the back end asks for itself (`Retry-After`)."""


class BasicCredentials(Settings, frozen=True, kw_only=True, tag_field="kind", tag="basic"):
    """HTTP Basic."""

    username: str
    """Without a colon."""
    password: Secret
    """Sent with every call."""


class BearerCredentials(Settings, frozen=True, kw_only=True, tag_field="kind", tag="bearer"):
    """A fixed bearer token."""

    token: Secret
    """Sent as `Authorization: Bearer TOKEN`."""


class ApiKeyCredentials(Settings, frozen=True, kw_only=True, tag_field="kind", tag="apikey"):
    """A key in a header."""

    header: str = "X-API-Key"
    """The header's name."""
    value: Secret
    """The key itself."""


class CertificateCredentials(Settings, frozen=True, kw_only=True, tag_field="kind", tag="certificate"):
    """A client certificate: mutual TLS."""

    certificate: FilePath
    """A PEM file."""
    key: FilePath
    """A PEM file with the private key."""
    password: Secret | None = None
    """Of the private key, where it has one."""


class OAuth2Credentials(Settings, frozen=True, kw_only=True, tag_field="kind", tag="oauth2"):
    """Tokens of OAuth 2.0, by client credentials (RFC 6749, 4.4): asked for, shown to the back end, and renewed before they end."""

    url: str
    """Where tokens are asked for: the token endpoint."""
    client_id: str
    """Who asks."""
    client_secret: Secret
    """The client's."""
    shown: Literal["basic", "form"] = "basic"
    """How both are shown there: in the header of HTTP Basic, or in the form."""
    scope: str | None = None
    """What the tokens are to be good for, with spaces between; left to the server unless given."""
    parameters: dict[str, str] = {}
    """What else goes into the form, such as `audience` or `resource`."""
    early: Duration = Duration(30)
    """How long before its end a token is renewed; at most half of the time for which it is good."""
    timeout: Duration = Duration(10)
    """The longest that asking for one may take."""
    ca: FilePath | None = None
    """A PEM file of authorities to trust there instead of the system's."""


CredentialsSettings = BasicCredentials | BearerCredentials | ApiKeyCredentials | CertificateCredentials | OAuth2Credentials


class MockStepSettings(Settings, frozen=True, kw_only=True):
    """One thing that a made-up back end does: it answers, has nothing, fails, or says nothing."""

    data: dict[str, Any] | list[Any] | str | None = None
    """The answer, with placeholders in its texts; `transform` is applied to it. Unless given: who was asked, and what."""
    ends: Literal["ok", "empty", "backend_error", "backend_timeout"] = "ok"
    """`empty`: it knows nothing of the subject; `backend_timeout`: it says nothing until the call's time is over."""
    delay: Duration = Duration(0)
    """How long it takes; at least, where `most` is given."""
    most: Duration | None = None
    """The longest that it takes: every time between `delay` and this is as likely."""
    weight: Fraction = 1.0
    """How often it is done, beside the others; where they are done in turn, it says nothing."""


class MockSettings(Settings, frozen=True, kw_only=True):
    """A made-up back end in place of the real one (H10)."""

    steps: list[MockStepSettings] = []
    """What it does; one that answers at once, unless given."""
    order: Literal["random", "turns"] = "random"
    """How it chooses among `steps`: by their weights, or one after the other and again from the first."""


class ItemsSettings(Settings, frozen=True, kw_only=True):
    """Where the answer has what all bodies have in common. JMESPath expressions; those of the members look at one item."""

    source: str = msgspec.field(name="from", default="@")
    """The list of items; the whole answer unless given. A table in its place is the only item."""
    label: str
    """What it is, for people to read."""
    value: str | None = None
    """What it comes to."""
    date: str | None = None
    """When it was, or is due."""
    amount: str | None = None
    """How much, in money."""
    state: str | None = None
    """How it stands."""
    link: str | None = None
    """Where there is more of it: an absolute `http` or `https` URL; anything else is left out."""


class ConnectorSettings(Settings, frozen=True, kw_only=True, tag_field="protocol"):
    """One back end and the policies under which it is asked (H10 to H13). Each protocol adds what it needs."""

    templates: ClassVar[tuple[str, ...]] = ("mock",)
    """Keys in whose texts placeholders may stand."""

    title: str = ""
    """The body's name as people know it; the connector's name unless given."""
    transform: str | None = None
    """What becomes `data`: a JMESPath expression, or `package.module:function` called with the decoded answer."""
    items: ItemsSettings | None = None
    """In place of `transform`: makes `data` a list of items with `label`, `value`, `date`, `amount`, `state` and `link`."""
    timeout: Duration = Duration(10)
    """The longest that one attempt may take."""
    concurrency: Positive = 16
    """Calls at a time in one process (H12)."""
    queue: Positive = 10_000
    """Questions that may wait in one process; beyond: KO `rejected`."""
    breaker: BreakerSettings = BreakerSettings()
    """When it is left alone."""
    retry: RetrySettings = RetrySettings()
    """Whether it is asked again."""
    credentials: str | None = None
    """A name of `[credentials]`."""
    pool: str = "default"
    """The pool whose processes call it."""
    tags: list[str] = []
    """Names for groups, which queries call `#tag`."""
    serves: dict[str, list[str]] = {}
    """By parameter, the values that concern it; a parameter that the request leaves out matches (H4)."""
    mock: bool | MockSettings = False
    """Whether a made-up back end answers in place of the real one; a table says how. Nothing is connected then."""
    environments: dict[str, dict[str, Any]] = {}
    """By `[esclusa] environment`, what is laid over the keys above (H12)."""

    @property
    def address(self) -> str:
        """Where its back end is: at another address is another one."""
        return ""

"""What the configuration says of connectors: `[connectors.NAME]` and `[credentials.NAME]`."""

from __future__ import annotations

from typing import Any, Literal

from esclusa.kernel.duration import Duration
from esclusa.kernel.settings import FilePath, Fraction, Positive, Secret, Settings


class BreakerSettings(Settings, frozen=True, kw_only=True):
    """When to stop asking a back end that fails, and when to try again (H13)."""

    failures: Positive = 5
    """Consecutive failures that open it."""
    open_for: Duration = Duration(30)
    """How long it stays open before a probe is let through."""
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
    """The longest wait before any attempt."""


class TlsSettings(Settings, frozen=True, kw_only=True):
    """How the back end's certificate is checked."""

    ca: FilePath | None = None
    """A PEM file of authorities to trust instead of the system's."""
    name: str | None = None
    """The name that the certificate must bear, where it is not the URL's host."""


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


CredentialsSettings = BasicCredentials | BearerCredentials | ApiKeyCredentials | CertificateCredentials


class ConnectorSettings(Settings, frozen=True, kw_only=True):
    """One back end and how to ask it. With a `url` alone it works: `GET`, JSON into `data`, no retry (H10 to H13)."""

    title: str = ""
    """The body's name as people know it; the connector's name unless given."""
    protocol: Literal["rest"] = "rest"
    """How the back end is spoken to."""
    url: str
    """`https://host/path/{subject}?from={params.from}`: placeholders are percent-encoded."""
    method: Literal["GET", "POST", "PUT", "HEAD"] = "GET"
    """`GET`, `HEAD` and `PUT` are idempotent; `POST` only where `idempotent` says so."""
    query: dict[str, str] = {}
    """Query parameters to add, with placeholders; left out when a placeholder in them has no value."""
    headers: dict[str, str] = {}
    """Headers to add, with placeholders."""
    body: str | dict[str, Any] | None = None
    """A text, or a table sent as JSON, with placeholders in its strings."""
    idempotent: bool | None = None
    """Whether it may be asked again or cut without harm; by the method unless given."""
    statuses: dict[str, Literal["ok", "empty", "error"]] = {}
    """By status (`"404"`) or class (`"5xx"`): `empty` is OK with no data. Unless given: 2xx `ok`, all else `error`."""
    transform: str | None = None
    """What becomes `data`: a JMESPath expression, or `package.module:function` called with the decoded answer."""
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
    tls: TlsSettings = TlsSettings()
    """Whom to trust, of an `https` address."""
    credentials: str | None = None
    """A name of `[credentials]`."""
    pool: str = "default"
    """The pool whose processes call it."""
    tags: list[str] = []
    """Names for groups, which queries call `#tag`."""
    serves: dict[str, list[str]] = {}
    """By parameter, the values that concern it; a parameter that the request leaves out matches (H4)."""
    environments: dict[str, dict[str, Any]] = {}
    """By `[esclusa] environment`, what is laid over the keys above (H12)."""

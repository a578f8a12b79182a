"""What the configuration says of a connector with `protocol = "rest"`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from esclusa.connectors.http.settings import HttpSettings
from esclusa.connectors.settings import ConnectorSettings


class RestSettings(HttpSettings, frozen=True, kw_only=True, tag="rest"):
    """A back end that is asked over HTTP and answers JSON. With a `url` alone it works: `GET`, JSON into `data`, no retry."""

    templates: ClassVar[tuple[str, ...]] = ("url", "query", "headers", "body", *ConnectorSettings.templates)

    url: str
    """`https://host/path/{subject}?from={params.from}`: placeholders are percent-encoded."""
    method: Literal["GET", "POST", "PUT", "HEAD"] = "GET"
    """`GET`, `HEAD` and `PUT` are idempotent; `POST` only where `idempotent` says so."""
    query: dict[str, str] = {}
    """Query parameters to add, with placeholders; left out when a placeholder in them has no value."""
    body: str | dict[str, Any] | None = None
    """A text, or a table sent as JSON, with placeholders in its strings."""
    idempotent: bool | None = None
    """Whether it may be asked again or cut without harm; by the method unless given."""
    statuses: dict[str, Literal["ok", "empty", "error"]] = {}
    """By status (`"404"`) or class (`"5xx"`): `empty` is OK with no data. Unless given: 2xx `ok`, all else `error`."""

    @property
    def address(self) -> str:
        """As in the base."""
        return self.url

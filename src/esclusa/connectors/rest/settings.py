"""What the configuration says of a connector with `protocol = "rest"`."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from esclusa.connectors.http.settings import HttpSettings
from esclusa.connectors.settings import ConnectorSettings
from esclusa.kernel.duration import Duration
from esclusa.kernel.settings import Positive, Settings


class PagingSettings(Settings, frozen=True, kw_only=True):
    """Where the next page of an answer is; unless a key says so, where the header `Link` with `rel=next` says."""

    next: str | None = None
    """A JMESPath expression that finds its address in the page. Only an address of the same back end is followed."""
    parameter: str | None = None
    """The query parameter that counts pages. The page after the last has no items, unless `size` tells the last one."""
    first: int = 1
    """The number of the first page."""
    size: Positive | None = None
    """Items of a full page: one with fewer is the last."""
    items: str = "@"
    """A JMESPath expression that finds the list of items in a page; the whole page unless given."""
    pages: Positive = 10
    """Pages to read at most; an answer that may have more says so in `detail`."""


class RevalidateSettings(Settings, frozen=True, kw_only=True):
    """What is remembered of answers that the back end marks with `ETag` or `Last-Modified`."""

    keep: Duration = Duration(600)
    """For how long one is remembered, from the last time that it was heard of. In memory only."""
    most: Positive = 4 * 1024 * 1024
    """Bytes of all that are remembered in one process; those that were not heard of for longest go first."""


class RestSettings(HttpSettings, frozen=True, kw_only=True, tag="rest"):
    """A back end that is asked over HTTP and answers JSON, XML or text. With a `url` alone it works: `GET`, JSON into `data`, no retry."""

    templates: ClassVar[tuple[str, ...]] = ("url", "query", "headers", "body", "form", *ConnectorSettings.templates)

    url: str
    """`https://host/path/{subject}?from={params.from}`: placeholders are percent-encoded."""
    method: Literal["GET", "POST", "PUT", "HEAD"] = "GET"
    """`GET`, `HEAD` and `PUT` are idempotent; `POST` only where `idempotent` says so."""
    query: dict[str, str] = {}
    """Query parameters to add, with placeholders; left out when a placeholder in them has no value."""
    body: str | dict[str, Any] | None = None
    """A text, or a table sent as JSON, with placeholders in its strings."""
    form: dict[str, str] = {}
    """In place of `body`: fields of a form, with placeholders; left out when a placeholder in them has no value."""
    idempotent: bool | None = None
    """Whether it may be asked again or cut without harm; by the method unless given."""
    statuses: dict[str, Literal["ok", "empty", "error"]] = {}
    """By status (`"404"`) or class (`"5xx"`): `empty` is OK with no data. Unless given: 2xx `ok`, all else `error`."""
    accepts: Literal["json", "xml", "text"] = "json"
    """What it answers with, and is asked for: of XML becomes JSON, of a text a JSON string."""
    lists: list[str] = []
    """Names of XML elements that are always a list, also when there is only one."""
    revalidate: RevalidateSettings | None = None
    """Whether answers are remembered, so that the back end is asked for what has changed since; not, unless given."""
    paging: PagingSettings | None = None
    """How an answer in pages is read: `data` is the list of the items of all, in order, or what is made of that."""

    @property
    def address(self) -> str:
        """As in the base."""
        return self.url

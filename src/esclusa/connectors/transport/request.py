"""What is asked of a back end over HTTP, checked when it is made: one request, whatever was put into it.

A target, a field's name or its value that could end a line, or be read as a second request, is refused with
`InvalidRequest`; what frames the message (`Content-Length`, `Transfer-Encoding`, `Connection`, ...) is written by the
client alone.
"""

from __future__ import annotations

import re
from copy import copy

from esclusa.kernel.errors import InvalidRequest

Fields = tuple[tuple[bytes, bytes], ...]
"""Header fields in order, as they go on the wire: `((b"Accept", b"application/json"), ...)`."""

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""Methods for which asking twice is as good as asking once (RFC 9110, 9.2.2)."""

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(rb"/[!\"$-~]*")
"""The origin form, of what is visible in ASCII without the `#` that starts a fragment."""
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_FRAMING = frozenset(
    {
        b"connection",
        b"content-length",
        b"expect",
        b"http2-settings",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_DEFAULTS = (
    (b"user-agent", b"user-agent: esclusa\r\n"),
    (b"accept", b"accept: */*\r\n"),
    (b"accept-encoding", b"accept-encoding: gzip, deflate\r\n"),
)
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


_REMEMBERED = 64
"""Sets of names of further headers that a template has checked: few, by the parameters that questions leave out."""


def _names(fields: tuple[bytes, ...]) -> frozenset[bytes]:
    """Names of fields in lower case; `InvalidRequest` for what can't be one, or isn't the caller's to send."""
    names = [name.lower() for name in fields]
    for name in names:
        if not _TOKEN.fullmatch(name):
            raise InvalidRequest(f"{name!r} can't be the name of a header field")
        if name in _FRAMING:
            raise InvalidRequest(f"{name.decode()} is written by the client itself")
    if names.count(b"host") > 1:
        raise InvalidRequest("a request has one host")
    return frozenset(names)


def _lines(fields: Fields) -> bytes:
    """`fields`, whose names have been checked, as they go on the wire."""
    if not _VALUE.fullmatch(b"".join([value for _, value in fields])):
        name = next(name for name, value in fields if not _VALUE.fullmatch(value))
        raise InvalidRequest(f"the value of {name.decode()} has characters that a header field can't have")
    return b"".join([b"%b: %b\r\n" % field for field in fields])


def _defaults(names: frozenset[bytes]) -> bytes:
    """The lines of what a request has to have and does not name."""
    return b"".join([line for name, line in _DEFAULTS if name not in names])


class RequestTemplate:
    """What many requests have in common, checked and encoded once: the method and the fields that don't change.

    - `method`: any token but `CONNECT`; case-sensitive.
    - `headers`: in order. `user-agent`, `accept` and `accept-encoding` (`gzip, deflate`: what the client decodes) are
      added to a request that does not have its own.
    - `idempotent`: overrides what the method says of sending a request twice.
    """

    __slots__ = ("_checked", "_lines", "_names", "headers", "idempotent", "method", "start")

    def __init__(self, method: str, headers: Fields = (), *, idempotent: bool | None = None) -> None:
        token = method.encode("utf-8", "surrogatepass")
        if not _TOKEN.fullmatch(token) or method == "CONNECT":
            raise InvalidRequest(f"{method!r} is not a method that can be sent")
        self.method = method
        self.headers = headers
        self.idempotent = method in IDEMPOTENT if idempotent is None else idempotent
        self.start = token + b" "
        """What stands before the target."""
        self._names = _names(tuple([name for name, _ in headers]))
        self._lines = _lines(headers)
        self._checked: dict[tuple[bytes, ...], tuple[bytes, bool]] = {}

    def lines(self, further: Fields) -> tuple[bytes, bool]:
        """The lines of a request with `further` headers, and whether its host is named in them.

        `InvalidRequest` for what can't be sent, or is among the template's headers already.
        """
        names = tuple([name for name, _ in further])
        defaults, names_host = self._checked.get(names) or self._check(names)
        return (self._lines + _lines(further) if further else self._lines) + defaults, names_host

    def _check(self, further: tuple[bytes, ...]) -> tuple[bytes, bool]:
        names = _names(further)
        if again := names & self._names:
            raise InvalidRequest(f"{min(again).decode()} is in the template already")
        names |= self._names
        checked = _defaults(names), b"host" in names
        if len(self._checked) < _REMEMBERED:
            self._checked[further] = checked
        return checked


class Request:
    """One request. `InvalidRequest` when it would not be one, and only one, on the wire.

    - `method`: a method, or a `RequestTemplate` that has it.
    - `target`: path and query, percent-encoded, from its `/` on.
    - `headers`: as they are to be sent, after the template's, none of which they may repeat; `Host` is the origin's
      unless given.
    - `body`: sent with its `Content-Length`.

    What is `idempotent` is sent again, once, if a kept-alive connection turns out to have been closed by the back end.
    """

    __slots__ = ("_lines", "_names_host", "_start", "body", "headers", "idempotent", "method", "target")

    def __init__(self, method: str | RequestTemplate, target: str | bytes, headers: Fields = (), body: bytes = b"") -> None:
        template = RequestTemplate(method) if isinstance(method, str) else method
        if isinstance(target, str):
            target = target.encode("utf-8", "surrogatepass")  # what is not ASCII is refused with the rest
        if not _TARGET.fullmatch(target):
            raise InvalidRequest("the target is not a percent-encoded path with its query")
        self.method = template.method
        self.target = target
        self.headers = template.headers + headers
        self.body = body
        self.idempotent = template.idempotent
        self._start = template.start
        self._lines, self._names_host = template.lines(headers)

    def adding(self, name: bytes, value: bytes) -> Request:
        """The same with one more header, which it does not have yet. `InvalidRequest` for what can't be sent.

        `name` is one that a template has checked: written by a program, not by a question.
        """
        other = copy(self)
        other._lines = self._lines + _lines(((name, value),))  # noqa: SLF001 - of the same class
        other.headers = (*self.headers, (name, value))
        return other

    def wire(self, authority: bytes) -> bytes:
        """Its bytes on a connection to `authority` (the value of `Host`)."""
        body = self.body
        length = b"content-length: %d\r\n" % len(body) if body or self.method in _WITH_BODY else b""
        host = b"" if self._names_host else b"host: %b\r\n" % authority
        return b"%b%b HTTP/1.1\r\n%b%b%b\r\n%b" % (self._start, self.target, host, self._lines, length, body)

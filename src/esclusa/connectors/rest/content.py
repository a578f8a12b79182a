"""What the body of an answer has, as JSON, by the format in which the connector wants it."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from esclusa.connectors.rest.settings import RestSettings
from esclusa.connectors.rest.xml import plain

Content = Callable[[bytes, str | None], bytes]
"""From a body, and the charset that its type names, to JSON in UTF-8; JSON itself is not looked at. `ValueError`, `LookupError`."""

ACCEPT: Mapping[Literal["json", "xml", "text"], str] = {
    "json": "application/json",
    "xml": "application/xml, text/xml",
    "text": "text/plain",
}
"""The media types to ask for."""

_UTF8 = (None, "utf-8", "utf8", "us-ascii", "ascii")
_CHARSETS = ("ascii", "cp", "iso8859", "utf-8", "utf-16", "utf-32")
"""Python knows more, some of them no charsets and some slow."""


def content_of(settings: RestSettings) -> Content:
    """How the bodies of one connector's answers are read."""
    if settings.accepts == "xml":
        lists = frozenset(settings.lists)
        return lambda body, charset: _xml(body, charset, lists)
    return _text if settings.accepts == "text" else utf8


def utf8(body: bytes, charset: str | None) -> bytes:
    """`body` in UTF-8, without a byte order mark; from UTF-8 itself the same bytes. `ValueError`, `LookupError`."""
    if charset in _UTF8:
        if not body.isascii():
            body = body.removeprefix(codecs.BOM_UTF8)
            body.decode()
        return body
    name = codecs.lookup(charset).name
    if not name.startswith(_CHARSETS):
        raise LookupError(charset)
    return body.decode(name).removeprefix("\ufeff").encode()


def _xml(body: bytes, charset: str | None, lists: frozenset[str]) -> bytes:
    if charset is None:
        return msgspec.json.encode(plain(body, None, lists))
    return msgspec.json.encode(plain(utf8(body, charset), "utf-8", lists))


def _text(body: bytes, charset: str | None) -> bytes:
    return msgspec.json.encode(utf8(body, charset).decode())

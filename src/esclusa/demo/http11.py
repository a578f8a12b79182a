"""As much of an HTTP/1.1 server as a made-up public body needs, on asyncio's streams.

Reads requests with a `Content-Length` or none, in turn on kept-alive connections; writes answers with a length,
compressed where the caller takes it. No chunked requests, no pipelining ahead, no TLS.
"""

from __future__ import annotations

import asyncio
import gzip
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

MAX_HEAD = 32 * 1024
"""Bytes of a request's first line and headers; the limit to give to `asyncio.start_server`."""
MAX_BODY = 64 * 1024
_WORTH_PACKING = 512
"""Bytes of an answer below which compressing it gains nothing."""


class BadRequest(Exception):
    """What came is not a request that this server reads; its connection is closed."""


class Call(msgspec.Struct, frozen=True):
    """A request."""

    method: str
    path: str
    """Percent-decoded, without the query."""
    query: dict[str, str]
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def last(self) -> bool:
        """The caller asks for the connection to be closed after the answer."""
        return self.headers.get("connection", "").lower() == "close"

    @property
    def takes_gzip(self) -> bool:
        """The caller can read a compressed answer."""
        return "gzip" in self.headers.get("accept-encoding", "")


class Reply(msgspec.Struct, frozen=True):
    """An answer."""

    status: int
    content: bytes
    kind: str = "application/json"
    """The whole `Content-Type`."""

    def to(self, call: Call) -> bytes:
        """As it goes over the wire to this caller."""
        content, packed = self.content, ""
        if call.takes_gzip and len(content) >= _WORTH_PACKING:
            content, packed = gzip.compress(content, compresslevel=1, mtime=0), "Content-Encoding: gzip\r\n"
        head = (
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n"
            f"Content-Type: {self.kind}\r\n"
            f"{packed}"
            f"Content-Length: {len(content)}\r\n"
            f"{'Connection: close' if call.last else 'Connection: keep-alive'}\r\n\r\n"
        )
        return head.encode("ascii") + (b"" if call.method == "HEAD" else content)


async def read_call(reader: asyncio.StreamReader) -> Call | None:
    """The next request; None when the caller has hung up between two of them. Raises `BadRequest`, `ConnectionError`."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as cut:
        if cut.partial:
            raise BadRequest("cut in the middle of its headers") from cut
        return None
    except asyncio.LimitOverrunError as overrun:
        raise BadRequest("too many headers") from overrun
    line, *fields = head[:-4].decode("latin-1").split("\r\n")
    try:
        method, target, version = line.split(" ")
        headers = {name.strip().lower(): value.strip() for name, value in (field.split(":", 1) for field in fields)}
        length = int(headers.get("content-length", "0"))
        url = urlsplit(target)
    except ValueError as wrong:
        raise BadRequest("not HTTP") from wrong
    if version != "HTTP/1.1" or "transfer-encoding" in headers or not 0 <= length <= MAX_BODY:
        raise BadRequest("a kind of request that is not read here")
    try:
        body = await reader.readexactly(length)
    except asyncio.IncompleteReadError as cut:
        raise BadRequest("cut in the middle of its body") from cut
    return Call(method, unquote(url.path), dict(parse_qsl(url.query)), headers, body)

"""Descriptions of services, read from files and over HTTP within bounds: a WSDL with what it imports, an OpenAPI."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPMessage
from pathlib import Path
from ssl import SSLContext
from typing import IO
from urllib.parse import unquote, urlsplit

LONGEST = 10.0
"""Seconds for all documents of one description."""
LARGEST = 16 * 1024 * 1024
"""Bytes of one document."""
MOST = 200
"""Documents of one description."""
_PIECE = 64 * 1024
_REMOTE = ("http", "https")


class _NoOtherSchemes(urllib.request.HTTPRedirectHandler):
    """Follows redirects to HTTP alone."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """As in the base."""
        if urlsplit(newurl).scheme not in _REMOTE:
            raise ValueError("it leads to what is not HTTP")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Documents:
    """Reads a description and what it imports, as it is asked for, within `LONGEST`, `LARGEST` and `MOST`. `ValueError` in words.

    No credentials are shown. What came over the network can't import this machine's files.
    """

    def __init__(self, start: str, ticks: Callable[[], float], tls: SSLContext | None) -> None:
        """`start`: where the description itself is; `ticks`: seconds of a clock that runs on; `tls`: how `https` is done."""
        self._remote = urlsplit(start).scheme in _REMOTE
        self._ticks = ticks
        self._end = ticks() + LONGEST
        self._left = MOST
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({}), _NoOtherSchemes()]
        if tls is not None:
            handlers.append(urllib.request.HTTPSHandler(context=tls))
        self._opener = urllib.request.build_opener(*handlers)

    def load(self, place: str) -> bytes:
        """The bytes of the document at `place`, a path or URL; named as zeep's transports name it."""
        self._left -= 1
        if self._left < 0:
            raise ValueError(f"it imports more than {MOST} documents")
        parts = urlsplit(place)
        try:
            if parts.scheme in _REMOTE:
                return self._fetched(place)
            if self._remote:
                raise ValueError(f"it imports {place}, a file of this machine")
            with Path(unquote(parts.path) if parts.scheme == "file" else place).open("rb") as file:
                content = file.read(LARGEST + 1)
                self._within(place, len(content))
                return content
        except urllib.error.HTTPError as error:
            error.close()
            raise ValueError(f"{place}: the answer has status {error.code}") from None
        except OSError as error:
            why = error.reason if isinstance(error, urllib.error.URLError) else error
            raise ValueError(f"{place} can't be read ({getattr(why, 'strerror', None) or why})") from None

    def _fetched(self, place: str) -> bytes:
        with self._opener.open(place, timeout=max(0.001, self._end - self._ticks())) as answer:
            whole = bytearray()
            while piece := answer.read1(_PIECE):
                whole += piece
                self._within(place, len(whole))
        return bytes(whole)

    def _within(self, place: str, size: int) -> None:
        if size > LARGEST:
            raise ValueError(f"{place} is larger than {LARGEST >> 20} MiB")
        if self._ticks() > self._end:
            raise ValueError(f"{place} did not come within {LONGEST:g} s")

"""Descriptions of services, read from files and over HTTP within bounds: a WSDL with what it imports, an OpenAPI."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPMessage, HTTPResponse, HTTPSConnection
from pathlib import Path
from ssl import SSLContext
from typing import IO, Any
from urllib.parse import unquote, urlsplit

LONGEST = 10.0
"""Seconds for all documents of one description."""
LARGEST = 16 * 1024 * 1024
"""Bytes of one document."""
MOST = 200
"""Documents of one description."""
_PIECE = 64 * 1024
_REMOTE = ("http", "https")


def shown(place: str) -> str:
    """`place` for people: of a URL neither who asks nor the query, which may have secrets in them."""
    parts = urlsplit(place)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.scheme in _REMOTE else place


class _NoOtherSchemes(urllib.request.HTTPRedirectHandler):
    """Follows redirects to HTTP alone."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """As in the base."""
        if urlsplit(newurl).scheme not in _REMOTE:
            fp.close()
            raise ValueError("it leads to what is not HTTP")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Connection(HTTPConnection):
    """Notes its socket once it is there, so that it can be cut."""

    def __init__(self, *args: Any, noted: list[socket.socket], **more: Any) -> None:
        super().__init__(*args, **more)
        self._noted = noted

    def connect(self) -> None:
        """As in the base."""
        super().connect()
        self._noted.append(self.sock)


class _SecureConnection(HTTPSConnection):
    """The same over TLS."""

    def __init__(self, *args: Any, noted: list[socket.socket], **more: Any) -> None:
        super().__init__(*args, **more)
        self._noted = noted

    def connect(self) -> None:
        """As in the base."""
        super().connect()
        self._noted.append(self.sock)


class _Handler(urllib.request.HTTPHandler):
    """HTTP by connections that note their sockets."""

    def __init__(self, noted: list[socket.socket]) -> None:
        super().__init__()
        self._noted = noted

    def http_open(self, req: urllib.request.Request) -> HTTPResponse:
        """As in the base."""
        return self.do_open(partial(_Connection, noted=self._noted), req)


class _SecureHandler(urllib.request.HTTPSHandler):
    """HTTPS by connections that note their sockets."""

    def __init__(self, noted: list[socket.socket], tls: SSLContext) -> None:
        super().__init__()
        self._noted = noted
        self._tls = tls

    def https_open(self, req: urllib.request.Request) -> HTTPResponse:
        """As in the base."""
        return self.do_open(partial(_SecureConnection, noted=self._noted), req, context=self._tls)


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
        self._sockets: list[socket.socket] = []
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({}), _NoOtherSchemes()]
        handlers.append(_Handler(self._sockets))
        if tls is not None:
            handlers.append(_SecureHandler(self._sockets, tls))
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
            path = Path(unquote(parts.path) if parts.scheme == "file" else place)
            if path.exists() and not path.is_file():  # a pipe would keep waiting who opens it
                raise ValueError(f"{place} is no file")
            with path.open("rb") as file:
                content = file.read(LARGEST + 1)
                self._within(place, len(content))
                return content
        except urllib.error.HTTPError as error:
            error.close()
            raise ValueError(f"{shown(place)}: the answer has status {error.code}") from None
        except OSError as error:
            self._within(place, 0)
            why = error.reason if isinstance(error, urllib.error.URLError) else error
            raise ValueError(f"{shown(place)} can't be read ({getattr(why, 'strerror', None) or why})") from None
        except HTTPException:
            self._within(place, 0)
            raise ValueError(f"{shown(place)} can't be read (what answers does not speak HTTP)") from None

    def _fetched(self, place: str) -> bytes:
        left = max(0.001, self._end - self._ticks())
        over = threading.Event()
        watch = threading.Thread(target=self._watch, args=(over, left), daemon=True)
        watch.start()  # a socket's own timeout begins again with every byte that comes
        try:
            with self._opener.open(place, timeout=left) as answer:
                whole = bytearray()
                while piece := answer.read1(_PIECE):
                    whole += piece
                    self._within(place, len(whole))
            self._within(place, len(whole))
            return bytes(whole)
        finally:
            over.set()
            watch.join()
            self._sockets.clear()

    def _watch(self, over: threading.Event, left: float) -> None:
        """Cut what is open unless it is `over` in `left` seconds."""
        if over.wait(left):
            return
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _within(self, place: str, size: int) -> None:
        if size > LARGEST:
            raise ValueError(f"{shown(place)} is larger than {LARGEST >> 20} MiB")
        if self._ticks() > self._end:
            raise ValueError(f"{shown(place)} did not come within {LONGEST:g} s")

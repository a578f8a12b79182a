"""One answer after another out of the bytes of one connection: bounded, strict, and without I/O.

The grammar is llhttp's (by httptools) in its strict mode; around it stand the rules that only a client can know: which
answer has no body, where an answer without a length ends, how much of each part is too much, and that whatever follows
a complete answer unasked makes the connection unfit for another call.
"""

from __future__ import annotations

import re

from httptools import HttpParserError, HttpResponseParser

from esclusa.connectors.transport.decoding import decoded
from esclusa.connectors.transport.limits import Limits
from esclusa.connectors.transport.response import Response
from esclusa.kernel.errors import HttpError, HttpErrorKind

_NOTED = frozenset({b"content-length", b"transfer-encoding", b"content-encoding", b"keep-alive"})
_TIMEOUT = re.compile(rb"(?:^|[\s,])timeout\s*=\s*(\d{1,9})(?:[\s,]|$)", re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"
_FRAMING = 8
"""Bytes of framing allowed for each byte of body: chunks of a single byte need five, trailers and extensions are rare."""
_CONTINUE = 100
_SWITCHING_PROTOCOLS = 101
_OK = 200
_BODILESS = frozenset({204, 304})


class AnswerParser:
    """Reads the answers of one connection, one after another.

    `expect`, then `feed` until it is True, or until the connection ends and the answer `ends_here`; then `response`.
    `HttpError` from any of these is the end: nothing more may be read from the connection. `protocol`: not HTTP/1.1, or
    an answer that two readers could read in two ways; `too_large`.
    """

    __slots__ = (
        "_coding",
        "_complete",
        "_error",
        "_for_head",
        "_head_done",
        "_headers",
        "_informational",
        "_limits",
        "_parser",
        "_pieces",
        "_received",
        "_room",
        "_size",
        "_status",
        "_until_end",
        "began",
        "keep",
        "reusable",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser = HttpResponseParser(self)
        self._error: HttpError | None = None
        self.keep = limits.idle
        """Seconds that the connection may stay unused, by our limit and what the back end says of its own."""
        self.expect(for_head=False)

    def expect(self, *, for_head: bool) -> None:
        """Make ready for the next answer; `for_head`: to a HEAD request, so that no body follows its head."""
        self._for_head = for_head
        self._room = self._limits.max_head
        self._headers: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._coding = b""
        self._size = 0
        self._received = 0
        self._status = 0
        self._head_done = False
        self._informational = False
        self._until_end = False
        self._complete = False
        self.began = False
        """Some of the answer has come."""
        self.reusable = False
        """Once it is complete: another call may follow on the same connection."""

    def feed(self, data: bytes) -> bool:
        """Take what has come; True when the answer is complete."""
        self.began = True
        try:
            if self._head_done or len(data) <= self._room:
                self._parser.feed_data(data)
            else:
                self._feed_long_head(data)
        except HttpParserError as error:
            if not self._complete:
                raise (self._error or self._fail("protocol", f"not an answer of HTTP/1.1: {error}")) from None
            self.reusable = False
        if self._complete:
            if self._for_head:
                self._start_anew(data)
            return True
        if not self._head_done:
            self._room -= len(data)
        self._received += len(data)
        if self._received > 2 * self._limits.max_head + (1 + _FRAMING) * self._size:
            raise self._fail("too_large", "the answer has far more framing than content")
        return False

    def ends_here(self) -> bool:
        """Whether the answer is complete now that the back end has closed its side in order, as some answers end."""
        return self._until_end

    def response(self) -> Response:
        """The complete answer."""
        pieces = self._pieces
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if self._coding:
            body = decoded(self._coding, body, self._limits.max_body)
        return Response(self._status, self._headers, body)

    def release(self) -> None:
        """Nothing more will be fed: let go of llhttp's parser, which holds this object as this object holds it."""
        del self._parser

    def _feed_long_head(self, data: bytes) -> None:
        """The head may take what is left of its bound, and no byte more."""
        room = self._room
        self._parser.feed_data(data[:room])
        if not self._head_done:
            raise self._fail("too_large", f"the head of the answer is larger than {self._limits.max_head} bytes")
        self._parser.feed_data(data[room:])

    def _start_anew(self, data: bytes) -> None:
        """After an answer to HEAD: llhttp would wait for the body that its head announces."""
        if not (data.endswith(_END_OF_HEAD) or _END_OF_HEAD.endswith(data)):
            self.reusable = False
        self._parser = HttpResponseParser(self)

    def _fail(self, kind: HttpErrorKind, detail: str) -> HttpError:
        """The error to raise, kept meanwhile: llhttp hands none through."""
        self._error = HttpError(kind, detail)
        return self._error

    # httptools calls the following.

    def on_message_begin(self) -> None:
        """The first byte of an answer; after a complete one it is nobody's."""
        if self._complete:
            raise self._fail("protocol", "an answer that nobody asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head; trailers are left out."""
        if self._head_done:
            return
        if len(self._headers) >= self._limits.max_fields:
            raise self._fail("too_large", f"the answer has more than {self._limits.max_fields} header fields")
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is whole; what follows it depends on its fields, and on what was asked."""
        status = self._parser.get_status_code()
        if status < _OK:
            if status < _CONTINUE or status == _SWITCHING_PROTOCOLS:
                raise self._fail("protocol", "the answer has a status that was not asked for")
            self._informational = True
            self._headers = []
            return
        self._status = status
        self._head_done = True
        length, chunked = self._framing()
        if self._for_head or status in _BODILESS:
            self._complete = True
            self.reusable = self._parser.should_keep_alive()
        elif length is None:
            self._until_end = not chunked
        elif length > self._limits.max_body:
            raise self._fail("too_large", f"the answer is larger than {self._limits.max_body} bytes")

    def _framing(self) -> tuple[int | None, bool]:
        """The length that the head announces, and whether the body comes in chunks. Takes note of coding and timeout.

        llhttp has seen to it that there is one length at most, of digits alone, and not both.
        """
        length, chunked = None, False
        for name, value in self._headers:
            if name not in _NOTED:
                continue
            if name == b"content-length":
                length = int(value)
            elif name == b"content-encoding":
                self._coding = b"%b,%b" % (self._coding, value) if self._coding else value
            elif name == b"keep-alive":
                self._note_timeout(value)
            elif chunked or value.strip().lower() != b"chunked":
                raise self._fail("protocol", "the answer has a transfer coding other than chunked")
            else:
                chunked = True
        return length, chunked

    def on_chunk_header(self) -> None:
        """A chunk is announced."""
        if self._complete:
            raise self._fail("protocol", "a body where there can be none")

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if self._complete:
            raise self._fail("protocol", "a body where there can be none")
        self._size += len(data)
        if self._size > self._limits.max_body:
            raise self._fail("too_large", f"the answer is larger than {self._limits.max_body} bytes")
        self._pieces.append(data)

    def on_message_complete(self) -> None:
        """An answer is whole; an informational one (1xx) is followed by the answer proper."""
        if self._informational:
            self._informational = False
        elif not self._complete:
            self._complete = True
            self.reusable = self._parser.should_keep_alive()

    def _note_timeout(self, value: bytes) -> None:
        """Close before the back end does: a second earlier, or at half of what it grants if that is more."""
        match = _TIMEOUT.search(value)
        if match is not None:
            granted = int(match[1])
            self.keep = min(self._limits.idle, max(granted - 1, granted / 2))

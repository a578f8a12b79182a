"""One connection: a message out, a message in, and nothing that nobody asked for."""

from __future__ import annotations

import asyncio
import select
import ssl
from typing import cast

from esclusa.connectors.tcp.framing import Frame, FrameError
from esclusa.connectors.transport.carrier import Carrier
from esclusa.connectors.transport.tls import in_our_words
from esclusa.kernel.errors import HttpError


class Connection(Carrier):
    """Carries one call at a time. What comes between two calls ends it: it could be taken for the next one's answer."""

    def __init__(self, frame: Frame, most: int) -> None:
        """`most`: bytes of an answer beyond which it is too large."""
        self._frame = frame
        self._most = most
        self._poll = select.poll()
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._answer: asyncio.Future[bytes] | None = None
        self._open = True
        self.fresh = True
        """No call has been made over it."""
        self.heard = False
        """Something of an answer to the present call has come."""
        self.until = 0.0
        """When it has been unused for too long, in seconds since the epoch; for its owner's use."""

    @property
    def free(self) -> bool:
        """Whether another call may be made over it.

        Not if there is anything to read from it since the last one: it has ended, or what lies there would be taken for
        the answer to the next.
        """
        if not self._open or self._received or self._answer is not None or self._transport is None:
            return False
        return self.fresh or not (self._transport.is_closing() or self._poll.poll(0))

    @property
    def received(self) -> bytes:
        """What has come that is no whole answer."""
        return bytes(self._received)

    async def call(self, message: bytes) -> bytes:
        """Send `message`, and wait for the answer; `HttpError`. Cancelled, the connection is closed."""
        if not self.free or self._transport is None:
            raise HttpError("closed", "the connection has ended")
        self._answer = asyncio.get_running_loop().create_future()
        self.heard = False
        try:
            self._transport.write(message)
            return await self._answer
        except BaseException:
            self.close()
            raise
        finally:
            self._answer = None
            self.fresh = False

    def close(self) -> None:
        """Now, whatever is on its way."""
        self._open = False
        if self._transport is not None:
            self._transport.abort()

    # ---- as asyncio's protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        self._transport = cast("asyncio.Transport", transport)
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
        if not self._open:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Something came."""
        if self._answer is None or self._answer.done():
            self.close()
            return
        self.heard = True
        seen = len(self._received)
        self._received += data
        try:
            found = self._frame.find(self._received, seen)
        except FrameError as error:
            self._fail(HttpError("protocol", str(error), sent=True))
            return
        if found is None:
            if len(self._received) > self._most:
                self._fail(HttpError("too_large", "the answer is too large", sent=True))
            return
        begin, end, following = found
        answer = bytes(self._received[begin:end])
        del self._received[:following]
        if self._received:
            self.close()
        self._answer.set_result(answer)

    def eof_received(self) -> None:
        """The other side has ended in order; over TLS it has said so (asyncio's own loop, unlike uvloop, can't tell).

        The connection closes in any case.
        """
        self._open = False
        if self._answer is None or self._answer.done() or not self.heard:
            return
        whole = self._frame.closed(bytes(self._received))
        if whole is not None:
            self._answer.set_result(whole)

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended, by whomever; what came is not known to be whole."""
        self._open = False
        if self._answer is None or self._answer.done():
            return
        if isinstance(exc, ssl.SSLError):
            error = HttpError("tls", in_our_words(exc), sent=True)
        else:
            error = HttpError("closed", "it closed the connection before it had answered", sent=True)
        error.__cause__ = exc
        self._answer.set_exception(error)

    def _fail(self, error: HttpError) -> None:
        self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

"""One connection: a message out, a message in, and nothing that nobody asked for."""

from __future__ import annotations

import asyncio
from typing import cast

from esclusa.connectors.tcp.framing import Frame, FrameError
from esclusa.connectors.transport.carrier import Carrier
from esclusa.kernel.errors import HttpError


class Connection(Carrier):
    """Carries one call at a time. What comes between two calls ends it: it could be taken for the next one's answer."""

    def __init__(self, frame: Frame, most: int) -> None:
        """`most`: bytes of an answer beyond which it is too large."""
        self._frame = frame
        self._most = most
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._answer: asyncio.Future[bytes] | None = None
        self._open = True
        self.fresh = True
        """No call has been made over it."""
        self.heard = False
        """Something of an answer to the present call has come."""

    @property
    def free(self) -> bool:
        """Whether another call may be made over it."""
        return self._open and not self._received and self._answer is None

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
        if not self._open:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Something came."""
        if self._answer is None or self._answer.done():
            self.close()
            return
        self.heard = True
        self._received += data
        try:
            found = self._frame.find(bytes(self._received))
        except FrameError as error:
            self._fail(HttpError("protocol", str(error)))
            return
        if found is None:
            if len(self._received) > self._most:
                self._fail(HttpError("too_large", "the answer is too large"))
            return
        begin, end, following = found
        answer = bytes(self._received[begin:end])
        del self._received[:following]
        if self._received:
            self.close()
        self._answer.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended."""
        self._open = False
        if self._answer is None or self._answer.done():
            return
        whole = self._frame.closed(bytes(self._received)) if self.heard else None
        if whole is None:
            error = HttpError("closed", "it closed the connection before it had answered")
            error.__cause__ = exc
            self._answer.set_exception(error)
        else:
            self._answer.set_result(whole)

    def _fail(self, error: HttpError) -> None:
        self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

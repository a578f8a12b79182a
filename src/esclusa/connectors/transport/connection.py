"""One connection to a back end: carries one call at a time, and any number one after another."""

from __future__ import annotations

import asyncio
import select
import ssl
from typing import Protocol, cast

from esclusa.connectors.transport.call import Call
from esclusa.connectors.transport.carrier import Carrier
from esclusa.connectors.transport.limits import Limits
from esclusa.connectors.transport.parser import AnswerParser
from esclusa.connectors.transport.response import Response
from esclusa.connectors.transport.tls import in_our_words
from esclusa.kernel.errors import HttpError


class Owner(Protocol):
    """Who gives a connection its calls, and is told what became of them."""

    def ended(self, connection: Connection, call: Call, outcome: Response | HttpError, *, reusable: bool) -> None:
        """`call` is over; unless `reusable`, the connection is closing."""

    def lost(self, connection: Connection, call: Call | None, error: HttpError, *, stale: bool) -> None:
        """The connection is gone, and the `call` that it carried is not answered.

        `stale`: it had carried others before, and nothing of this one's answer came.
        """


class Connection(Carrier):
    """A connection by TCP or TLS. Nothing waits here and no time is kept: its owner closes it when a call is late."""

    __slots__ = ("_authority", "_owner", "_parser", "_poll", "_served", "_transport", "call", "failure", "until")

    def __init__(self, owner: Owner, authority: bytes, limits: Limits) -> None:
        self._owner = owner
        self._authority = authority
        self._parser = AnswerParser(limits)
        self._poll = select.poll()
        self._transport: asyncio.Transport | None = None
        self._served = False
        self.call: Call | None = None
        """The call that it carries."""
        self.failure: HttpError | None = None
        """Why it is gone, once it is."""
        self.until = 0.0
        """When it has been unused for too long, in seconds since the epoch; for its owner's use."""

    @property
    def keep(self) -> float:
        """Seconds that it may stay unused."""
        return self._parser.keep

    def carry(self, call: Call) -> bool:
        """Take charge of `call`; False if the connection turns out to be unfit: then nothing was sent, and it closes.

        A kept-alive connection is unfit if there is anything to read from it: the back end has closed it, or has sent
        what nobody asked for, which must not be taken for this call's answer. Looking costs a system call of half a
        microsecond. Of a new one that is closing already, `lost` will say why.
        """
        transport = self._transport
        if transport is None or (self._served and (transport.is_closing() or self._poll.poll(0))):
            self.close()
            return False
        self.call = call
        call.place = self
        request = call.request
        self._parser.expect(for_head=request.method == "HEAD")
        if not transport.is_closing():
            call.sent = True
            transport.write(request.wire(self._authority))
        return True

    def close(self) -> None:
        """Close at once, whatever the other side does; the owner is told with `lost`, without a call."""
        self.call = None
        if self._transport is not None:
            self._transport.abort()

    # The event loop calls the following.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        self._transport = cast("asyncio.Transport", transport)
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Some of the answer, unless nobody asked."""
        call = self.call
        if call is None:
            self.close()
            return
        try:
            if self._parser.feed(data):
                self._answered(call)
        except HttpError as error:
            self._over(call, error, reusable=False)

    def eof_received(self) -> None:
        """The other side has ended in order; over TLS it has said so (asyncio's own loop, unlike uvloop, can't tell).

        The connection closes in any case.
        """
        if self.call is not None and self._parser.ends_here():
            self._answered(self.call)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed, by whomever."""
        call, self.call, self._transport = self.call, None, None
        began = self._parser.began
        self._parser.release()
        if isinstance(exc, ssl.SSLError):
            self.failure = HttpError("tls", in_our_words(exc))
        elif began:
            self.failure = HttpError("closed", "the connection was closed before the answer was whole")
        else:
            self.failure = HttpError("closed", "the connection was closed before any answer")
        self._owner.lost(self, call, self.failure, stale=self._served and not began)

    def _answered(self, call: Call) -> None:
        parser, transport = self._parser, self._transport
        reusable = parser.reusable and transport is not None and not transport.get_write_buffer_size()
        outcome: Response | HttpError
        try:
            outcome = parser.response()
        except HttpError as error:
            outcome = error
        self._over(call, outcome, reusable=reusable)

    def _over(self, call: Call, outcome: Response | HttpError, *, reusable: bool) -> None:
        self._served = True
        if reusable:
            self.call = None
        else:
            self.close()
        self._owner.ended(self, call, outcome, reusable=reusable)

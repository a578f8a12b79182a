"""Answers that are held: long polls and event streams. They end when their reader goes away.

They end early, with what there is, when the process drains: the hub lets go whoever waits, so nothing here needs to know.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from typing import Any, TypeVar

from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Refused

COMMENT_EVERY = 15.0
"""Seconds between two comments of a stream, which keep proxies from taking it for dead."""
RETRY_MS = 2000
"""Milliseconds after which a reader that was cut off is to come back."""
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")

T = TypeVar("T")


async def while_read(work: Coroutine[Any, Any, T], receive: Receive) -> T | None:
    """What `work` returns or raises; None when the reader goes away before, and then `work` is cancelled."""
    working, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        gone.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    """Return once the reader has closed the connection, or has not sent its request whole."""
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    except Refused:
        return


def event(name: str, id: str, data: bytes) -> bytes:
    """One server-sent event; `data` is JSON, in which line ends are only ever space between tokens."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (id.encode(), name.encode(), data.translate(_ONE_LINE))


class EventStream(ASGIResponse):
    """Server-sent events, for as long as there are some and somebody reads them.

    A `Refused` from `events` ends the stream: the reader comes back for the rest and is then told what is the matter.
    """

    _should_set_content_length = False

    def __init__(self, events: AsyncIterator[bytes], clock: Clock) -> None:
        super().__init__(headers={"content-type": "text/event-stream"})
        self._events = events
        self._clock = clock

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send what comes, and a comment now and then."""
        await self.start_response(send)
        await _piece(send, b"retry: %d\n\n" % RETRY_MS)
        await while_read(self._stream(send), receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _stream(self, send: Send) -> None:
        comments = asyncio.ensure_future(self._comment(send))
        try:
            async for each in self._events:
                await _piece(send, each)
        except Refused:
            return
        finally:
            comments.cancel()
            await asyncio.gather(comments, return_exceptions=True)
            if isinstance(self._events, AsyncGenerator):
                await self._events.aclose()

    async def _comment(self, send: Send) -> None:
        while True:
            await self._clock.sleep(COMMENT_EVERY)
            await _piece(send, b":\n\n")


async def _piece(send: Send, data: bytes) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": True})

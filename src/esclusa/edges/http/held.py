"""Answers that are held: long polls and event streams. They end when their reader goes away.

They end early, with what there is, when the process drains: the hub wakes whoever waits, so nothing here needs to know.
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
RETRY = 2000
"""Milliseconds after which a reader that was cut off comes back."""

T = TypeVar("T")


async def while_read(work: Coroutine[Any, Any, T], receive: Receive) -> T | None:
    """What `work` returns or raises; None when the reader has gone before, and then it is cancelled."""
    async with asyncio.TaskGroup() as group:
        gone = group.create_task(_gone(receive))
        working = asyncio.ensure_future(work)
        try:
            await asyncio.wait({gone, working}, return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            gone.cancel()
            working.cancel()
            await asyncio.wait({working})


async def _gone(receive: Receive) -> None:
    """Return once the reader has closed the connection, or sends a body that can't be had."""
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    except Refused:
        return

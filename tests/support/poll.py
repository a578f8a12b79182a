"""Waiting for what gives no signal: another process, or whoever is on the other side of a socket.

The one place where a test sleeps in real time; what is in the test's own process is waited for by its signals.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
EVERY = 0.02
"""Seconds between two looks."""


async def until(look: Callable[[], Awaitable[T | None]], *, seconds: float = 20.0) -> T:
    """What `look` sees, as soon as that is something; `TimeoutError` when it isn't within `seconds`."""
    async with asyncio.timeout(seconds):
        while not (seen := await look()):  # noqa: ASYNC110 - there is no event to wait for, hence this helper
            await asyncio.sleep(EVERY)
        return seen


async def pause(seconds: float) -> None:
    """Let time go by outside: how long a fault lasts, or a back end takes. Never for something to have happened by then."""
    await asyncio.sleep(seconds)

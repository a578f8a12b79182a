"""The peer: the same calls by hand, as one would write them for one page: gather, aiohttp, nothing stored or logged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aiohttp import ClientSession, TCPConnector

CONNECTIONS = 15_000
"""At a time: more than there are calls, so that none waits; the usual hundred would make it wait."""


def session() -> ClientSession:
    """One for all calls."""
    return ClientSession(connector=TCPConnector(limit=CONNECTIONS))


async def ask(session: ClientSession, urls: Sequence[str]) -> list[Any]:
    """What every one of `urls` answers, decoded, in order."""
    return await asyncio.gather(*(_fetch(session, url) for url in urls))


async def _fetch(session: ClientSession, url: str) -> Any:
    async with session.get(url) as response:
        return await response.json()

"""What is being started, and how long each took: calm lines while there is nothing else to see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

FRAME = 0.2
"""Seconds between two drawings of what is going on."""


class Steps:
    """Says each step when it is done; on a terminal also what is going on and for how long."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._since: dict[str, float] = {}

    async def do(self, name: str, work: Awaitable[None]) -> None:
        """Await one step."""
        began = self._since[name] = asyncio.get_running_loop().time()
        try:
            await work
        finally:
            del self._since[name]
        self._console.print(_line(name, asyncio.get_running_loop().time() - began))

    @asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """For as long as the context lasts, what is going on is drawn if there is a terminal."""
        if not self._console.is_terminal or self._console.is_dumb_terminal:
            yield
            return
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            drawing = asyncio.create_task(self._draw(live))
            try:
                yield
            finally:
                drawing.cancel()
                await asyncio.gather(drawing, return_exceptions=True)

    async def _draw(self, live: Live) -> None:
        while True:
            now = asyncio.get_running_loop().time()
            going_on = [Text(_line(name, now - since), style="dim") for name, since in self._since.items()]
            live.update(Group(*going_on), refresh=True)
            await asyncio.sleep(FRAME)


def _line(name: str, seconds: float) -> str:
    return f"{name} ... {seconds:.0f} s"

"""Servers that are started again when they end, as whatever runs them in earnest does it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from enum import Enum

from dev.node import Node, NotReady

AGAIN = 3.0
"""Seconds after which one that has ended is started again."""


class State(Enum):
    """How a server is."""

    STARTING = "starting"
    RUNNING = "running"
    ENDED = "ended"
    BACK = "back"


class Supervised:
    """One server, kept running."""

    def __init__(self, node: Node, role: str, does: str, tell: Callable[[str], None]) -> None:
        """`role`: what it is there for, in a word or two; `does`: what its deeds are called; `tell`: is told what happens."""
        self.node = node
        self.role = role
        self.does = does
        self.state = State.STARTING
        self.pid: int | None = None
        """Of the process; of the last one, once that has ended."""
        self._tell = tell

    @property
    def name(self) -> str:
        """What it is called."""
        return self.node.name

    async def start(self) -> None:
        """Start it, and return once it serves; one that runs is taken as it is. `NotReady`."""
        if self.node.pid is None:
            await self.node.start()
        self.pid = self.node.pid
        await self.node.ready()
        self.state = State.RUNNING

    async def keep(self) -> None:
        """Start it again whenever it has ended, until cancelled."""
        while True:
            code = await self.node.ended()
            self.state = State.ENDED
            self._tell(f"{self.name} (pid {self.pid}) has ended, {_how(code)}; it is started again in {AGAIN:g} s")
            await asyncio.sleep(AGAIN)
            self.state = State.STARTING
            await self.node.start()
            self.pid = self.node.pid
            try:
                await self.node.ready()
            except NotReady:
                if self.node.pid is not None:
                    await self.node.kill()
                continue
            self.state = State.BACK
            self._tell(f"{self.name} is back (pid {self.pid})")


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

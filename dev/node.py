"""One server process: started, killed, stopped and continued, its output in a file. It dies with who started it."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

PATIENCE = 120.0
"""Seconds that a server has to be ready."""
FAREWELL = 10.0
"""Seconds that a server has to end when it is told to."""
LOOK = 0.05
"""Seconds between two looks at a server that is not ready."""

Ready = Callable[[], Awaitable[bool]]
"""Speaks the server's protocol; `OSError` or `EOFError` count as not ready."""


class NotReady(Exception):
    """A server has ended, or said nothing in time; the end of its log is in the message."""


class Node:
    """One process of an engine."""

    def __init__(self, name: str, address: str, command: Sequence[str], log: Path, ready: Ready) -> None:
        """`address`: `host:port` for clients."""
        self.name = name
        self.address = address
        self.log = log
        self._command = command
        self._ready = ready
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Of the process, while it has not ended."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def start(self) -> None:
        """Start the process; `ready` tells when it serves."""
        leash = shutil.which("setpriv")  # Linux; elsewhere a process may outlive a parent that was killed
        command = [leash, "--pdeathsig", "KILL", *self._command] if leash else self._command
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    async def ready(self) -> None:
        """Return once it serves. `NotReady`."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not await self._serves():
                    if self.pid is None:
                        raise NotReady(f"{self.name} has ended: {self._last_words()}")
                    await asyncio.sleep(LOOK)
        except TimeoutError:
            raise NotReady(f"{self.name} was not ready within {PATIENCE:g} s: {self._last_words()}") from None

    async def _serves(self) -> bool:
        try:
            return await self._ready()
        except (OSError, EOFError):
            return False

    def _last_words(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    async def kill(self) -> None:
        """End it at once: kill -9."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM; and kill -9 when that takes too long."""
        await self._end(signal.SIGTERM)

    async def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._signal(how)
        try:
            async with asyncio.timeout(FAREWELL):
                await self._process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._process.wait()

    def pause(self) -> None:
        """SIGSTOP: it is there and says nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)

    def _signal(self, which: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(which)

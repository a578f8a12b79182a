"""One server process: started, killed, stopped and continued, its output in a file or told line by line.

It dies with who started it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

PATIENCE = 120.0
"""Seconds that a server has to be ready."""
FAREWELL = 10.0
"""Seconds that a server has to end when it is told to."""
LOOK = 0.05
"""Seconds between two looks at a server that is not ready."""

Ready = Callable[[], Awaitable[bool]]
"""Speaks the server's protocol; `OSError` or `EOFError` count as not ready."""
Listener = Callable[[bytes], None]
"""Is told each line of a server's output, without its end; never raises."""
_LAST_WORDS = 3000
"""Characters of a server's output that are shown when it is not ready."""
_CHUNK = 64 * 1024


class NotReady(Exception):
    """A server has ended, or said nothing in time; the end of its log is in the message."""


class Node:
    """One process of an engine, or any other server."""

    def __init__(
        self,
        name: str,
        address: str,
        command: Sequence[str],
        log: Path | Listener,
        ready: Ready,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """`address`: `host:port` for clients. `log`: for all its output. `environ`: the one of this process unless given."""
        self.name = name
        self.address = address
        self._log = log
        self._command = command
        self._ready = ready
        self._environ = environ
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._told: deque[bytes] = deque(maxlen=20)

    @property
    def pid(self) -> int | None:
        """Of the process, while it has not ended."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def start(self) -> None:
        """Start the process; `ready` tells when it serves."""
        leash = shutil.which("setpriv")  # Linux; elsewhere a process may outlive a parent that was killed
        command = [leash, "--pdeathsig", "KILL", *self._command] if leash else self._command
        if isinstance(self._log, Path):
            with self._log.open("ab") as log:
                self._process = await self._run(command, log)
            return
        output, its_own = os.pipe()  # a pipe on every event loop: what it is told to open as /dev/stdout can't be a socket
        try:
            self._process = await self._run(command, its_own)
        finally:
            os.close(its_own)
            self._listening = asyncio.create_task(self._listen(os.fdopen(output, "rb"), self._log))

    async def _run(self, command: Sequence[str], output: IO[bytes] | int) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            env=self._environ,
        )

    async def _listen(self, output: IO[bytes], listener: Listener) -> None:
        reader, begun = asyncio.StreamReader(), b""
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, output)
        try:
            while data := await reader.read(_CHUNK):
                *lines, begun = (begun + data).split(b"\n")
                for line in lines:
                    self._told.append(line)
                    listener(line)
        finally:
            transport.close()

    async def ready(self) -> None:
        """Return once it serves. `NotReady`."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not await self._serves():
                    if self.pid is None:
                        await self.ended()
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
        said = self._log.read_bytes() if isinstance(self._log, Path) else b"\n".join(self._told)
        return said.decode(errors="replace")[-_LAST_WORDS:]

    async def ended(self) -> int:
        """Return once it has ended and all its output has been told: its exit code, below zero the signal that ended it."""
        if self._process is None:
            raise NotReady(f"{self.name} has not been started")
        code = await self._process.wait()
        if self._listening is not None:
            await self._listening
        return code

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

"""A file of fixed slots, each written in place and on the disk when its future is done."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from esclusa.engines.inprocess.futures import failed
from esclusa.engines.sqlite.errors import counter, kind, unavailable
from esclusa.kernel.errors import Closed
from esclusa.kernel.instrument import Instrument

SLOT = 64
"""Bytes of a slot: many to a sector, none across two."""
EMPTY = bytes(SLOT)


class _Write(NamedTuple):
    slot: int
    content: bytes
    then: Callable[[], None]
    otherwise: Callable[[], None]
    future: asyncio.Future[None]


class Slots:
    """The file. It is written in `executor`, by one job at a time; what comes meanwhile is the next job, synced once."""

    def __init__(self, executor: Executor, instrument: Instrument) -> None:
        self._executor = executor
        self._errors = counter(instrument)
        self._loop = asyncio.get_running_loop()
        self._file: int | None = None
        self._waiting: list[_Write] = []
        self._job: asyncio.Future[None] | None = None
        self._planned: asyncio.Handle | None = None

    def open(self, path: Path) -> list[bytes]:
        """Open the file; the contents of its slots. Blocks, shortly."""
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            content = path.read_bytes()
        except OSError as error:
            raise unavailable(error) from error
        return [content[at : at + SLOT].ljust(SLOT, b"\0") for at in range(0, len(content), SLOT)]

    def write(
        self, slot: int, content: bytes, then: Callable[[], None], otherwise: Callable[[], None] = lambda: None
    ) -> asyncio.Future[None]:
        """Write `content` to `slot`; `then` is called once it is on the disk, whether or not the future was cancelled.

        `otherwise` is called when that failed: nobody knows what stands in the slot, the old, the new or some of both.
        """
        if self._file is None:
            return failed(Closed("the keys are closed"))
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(_Write(slot, content, then, otherwise, future))
        self._plan()
        return future

    def _plan(self) -> None:
        if self._waiting and self._job is None and self._planned is None:
            self._planned = self._loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._planned = None
        writes, self._waiting = self._waiting, []
        self._job = self._loop.run_in_executor(self._executor, self._carry_out, writes)
        self._job.add_done_callback(partial(self._ended, writes))

    def _carry_out(self, writes: Sequence[_Write]) -> None:
        file = self._file
        if file is not None:
            for write in writes:
                os.pwrite(file, write.content, write.slot * SLOT)
            os.fdatasync(file)

    def _ended(self, writes: Sequence[_Write], job: asyncio.Future[None]) -> None:
        self._job = None
        error = job.exception()
        if isinstance(error, OSError):
            self._errors.add(kind(error))
        for write in writes:
            if error is None:
                write.then()
                if not write.future.done():
                    write.future.set_result(None)
                continue
            write.otherwise()
            if not write.future.done():
                write.future.set_exception(unavailable(error) if isinstance(error, OSError) else error)
        self._plan()

    async def settled(self) -> None:
        """Wait until what has been asked for is done or has failed."""
        while self._job is not None or self._planned is not None:
            if self._planned is not None:
                self._planned.cancel()
                self._begin()
            if self._job is not None:
                await asyncio.wait([self._job])

    async def close(self) -> None:
        """Finish the writes at hand and let go."""
        await self.settled()
        self.kill()

    def kill(self) -> None:
        """Let go, and do nothing of what waits. No job may be running."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None
        for write in self._waiting:
            if not write.future.done():
                write.future.set_exception(Closed("the keys are closed"))
        self._waiting.clear()

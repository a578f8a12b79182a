"""Checkpoints: what the write-ahead log holds is brought into the database file, without holding up the loop.

A PASSIVE checkpoint runs in a thread while writes go on, `EVERY` seconds after a write or after `BYTES` of them. While
writes never pause it can't reach the log's end, and the log would grow without end; so beyond `LONG` the queue of
writes is held for the moment that the small rest takes, and the next write begins the log anew. A log whose file has
grown beyond `HUGE` is cut, at a moment when nothing waits to be written, and with the queue held, so that a commit never
meets the lock.
"""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import Literal

from esclusa.engines.inprocess.writer import Writer
from esclusa.engines.sqlite.database import PAGE, connect
from esclusa.engines.sqlite.errors import counter, kind, unavailable
from esclusa.kernel.clock import Clock
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.lifecycle import Background
from esclusa.kernel.signal import Signals

EVERY = 0.25
BYTES = 4 << 20
LONG = 16 << 20
HUGE = 64 << 20
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

Mode = Literal["PASSIVE", "TRUNCATE"]


class Checkpointer:
    """Takes checkpoints with a connection of its own, in `executor`."""

    def __init__(
        self, background: Background, clock: Clock, executor: Executor, instrument: Instrument, signals: Signals
    ) -> None:
        self._background = background
        self._clock = clock
        self._executor = executor
        self._instrument = instrument
        self._signals = signals
        self._seconds = instrument.histogram(
            "esclusa_storage_checkpoint_seconds", "Time that one checkpoint took, by mode", "mode", bounds=SECONDS
        )
        self._errors = counter(instrument)
        self._connection: sqlite3.Connection | None = None
        self._log = Path()
        self._writer: Writer | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._round: asyncio.Task[None] | None = None
        self._grown = 0

    def open(self, path: Path, writer: Writer) -> None:
        """Open the connection to the database at `path`, which `writer` writes to. Blocks, shortly."""
        try:
            self._connection = connect(path)
        except sqlite3.Error as error:
            raise unavailable(error) from error
        self._log = path.with_name(path.name + "-wal")
        self._writer = writer

    def wrote(self, size: int) -> None:
        """About `size` bytes more stand in the log."""
        self._grown += size
        if self._round is not None:
            return
        if self._grown >= BYTES:
            self._begin()
        elif self._timer is None:
            self._timer = self._clock.call_at(self._clock.now() + EVERY, self._begin)

    def _begin(self) -> None:
        self._stop_timer()
        self._grown = 0
        self._round = self._background.spawn("checkpoint", self._go_round())

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _go_round(self) -> None:
        writer = self._writer
        if writer is None:
            return
        try:
            length = await self._take("PASSIVE")
            if self._grown and length > LONG:  # it reached what was the end when it began; there is more by now
                await self._take_held(writer, "PASSIVE")
            elif not self._grown and not writer.waiting and self._size() > HUGE:
                await self._take_held(writer, "TRUNCATE")
        except (sqlite3.Error, OSError) as error:  # what stands in the log is durable; the next round tries again
            self._errors.add(kind(error))
            self._instrument.warn("storage.checkpoint", error=str(unavailable(error)))
        self._round = None
        if self._grown:
            self.wrote(0)

    async def _take_held(self, writer: Writer, mode: Mode) -> None:
        writer.hold()
        try:
            await self._take(mode)
        finally:
            writer.go_on()

    async def _take(self, mode: Mode) -> int:
        """Take a checkpoint; the bytes that stood in the log."""
        begun = self._clock.ticks()
        loop = asyncio.get_running_loop()
        _, frames, _ = await loop.run_in_executor(self._executor, self._checkpoint, mode)
        self._seconds.observe(self._clock.ticks() - begun, mode)
        self._signals.emit("storage.checkpointed", mode=mode)
        return frames * PAGE

    def _checkpoint(self, mode: Mode) -> tuple[int, int, int]:
        if self._connection is None:
            return 0, 0, 0
        result: tuple[int, int, int] = self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        return result

    def _size(self) -> int:
        return self._log.stat().st_size

    async def close(self) -> None:
        """Finish the round at hand, bring everything into the database file and let go."""
        self._stop_timer()
        if self._round is not None:
            await asyncio.wait([self._round])
        self._stop_timer()
        with suppress(sqlite3.Error):  # what stands in the log is durable, and found there at the next start
            await self._take("TRUNCATE")
        self.kill()

    def kill(self) -> None:
        """Let go at once. No checkpoint may be running."""
        self._stop_timer()
        if self._round is not None:
            self._round.cancel()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

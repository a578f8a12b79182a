"""The engine: one folder, one process, every port."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path

from esclusa.engines.inprocess.log import InProcessLog
from esclusa.engines.inprocess.records import InProcessRecords
from esclusa.engines.inprocess.writer import Writer
from esclusa.engines.sqlite.checkpoint import Checkpointer
from esclusa.engines.sqlite.database import Database
from esclusa.engines.sqlite.folder import Folder
from esclusa.engines.sqlite.installation import DATABASE, SqliteInstallation
from esclusa.engines.sqlite.keys import SqliteKeys
from esclusa.engines.sqlite.messages import Messages
from esclusa.engines.sqlite.rows import Rows
from esclusa.engines.sqlite.slots import Slots
from esclusa.engines.sqlite.storage import Storage
from esclusa.engines.sqlite.upkeep import SqliteUpkeep
from esclusa.kernel.clock import Clock
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.lifecycle import Background
from esclusa.kernel.signal import Signals

PACE = 0.001
"""Seconds between two commits where writes never pause."""
THREADS = 2
"""One for checkpoints, one for keys: neither waits for the other."""


class SqliteEngine:
    """The ports `log`, `records`, `keys`, `upkeep` and `installation` over the files of `folder`; a `Part`, usable once started.

    `start` raises `StorageBusy` where another process has the folder, `StorageTooNew` where a newer version wrote it,
    and `StorageUnavailable` where it can't be read or written.
    """

    def __init__(self, folder: Path, clock: Clock, instrument: Instrument, signals: Signals) -> None:
        self.background = Background("storage")
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="esclusa-storage")
        self._folder = Folder(folder)
        self._database = Database(instrument)
        self._slots = Slots(self._executor, instrument)
        self._checkpointer = Checkpointer(self.background, clock, self._executor, instrument, signals)
        messages, rows = Messages(self._database), Rows(self._database, clock)
        self._storage = Storage(self._database, messages, rows, self._checkpointer.wrote, clock, instrument, signals)
        self._writer = Writer(self._storage, clock, pace=PACE)
        self._open = AsyncExitStack()
        self.log = InProcessLog(messages.topics, self._writer, clock)
        self.records = InProcessRecords(self._storage, self._writer)
        self.keys = SqliteKeys(self._slots, clock)
        self.installation = SqliteInstallation(self._folder)
        self.upkeep = SqliteUpkeep(self._storage, messages, rows, self.records, clock)
        instrument.gauge("esclusa_storage_waiting_bytes", "Bytes that wait to be written", (), self._waiting)

    def _waiting(self) -> Iterator[tuple[tuple[str, ...], float]]:
        yield (), self._writer.bytes

    async def start(self) -> None:
        """Take the folder, migrate what is older, read what is to be remembered."""
        async with AsyncExitStack() as opened:
            opened.callback(self._executor.shutdown)
            self._folder.open()
            opened.callback(self._folder.close)
            path = self._folder.file(DATABASE)
            self._database.open(path)
            opened.callback(self._database.close)
            self._checkpointer.open(path, self._writer)
            opened.push_async_callback(self._checkpointer.close)
            self.keys.open(self._folder.file("keys.bin"))
            opened.push_async_callback(self._slots.close)
            self._storage.reload()
            opened.push_async_callback(self._writer.close)
            for port in (self.keys, self.records, self.log):
                opened.push_async_callback(port.close)
            self._open = opened.pop_all()

    async def drain(self) -> None:
        """Finish what is in the queue."""
        await self._writer.settled()

    async def stop(self) -> None:
        """Close every port, bring everything into the files and leave the folder to others."""
        await self._open.aclose()

    def kill(self) -> None:
        """Die at once, as by `kill -9`: what waits is lost, nothing is committed, nothing released. For tests."""
        self._writer.kill()
        self.log.kill()
        self.records.kill()
        self.keys.kill()
        self._executor.shutdown()
        self._slots.kill()
        self._checkpointer.kill()
        self._database.close()
        self._folder.close()
        self._open = AsyncExitStack()

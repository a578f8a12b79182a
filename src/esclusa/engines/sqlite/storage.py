"""Groups of writes, each in one transaction: for all tables together, since a commit costs more than its rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from esclusa.engines.inprocess.writer import Add, Append, Commit, Forget, Put, Read, Write
from esclusa.engines.sqlite.database import Database
from esclusa.engines.sqlite.messages import Messages
from esclusa.engines.sqlite.rows import Rows
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageError
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.signal import Signals
from esclusa.ports.records import Row

SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
ENTRIES = (1.0, 4.0, 16.0, 64.0, 256.0, 1024.0)


class Storage:
    """`esclusa.engines.inprocess.writer.Storage` on a database; `written` is told how many bytes a group had.

    After a failure nothing that is remembered is trusted: it is read again, at once or as soon as the disk is back.
    """

    def __init__(
        self,
        database: Database,
        messages: Messages,
        rows: Rows,
        written: Callable[[int], None],
        clock: Clock,
        instrument: Instrument,
        signals: Signals,
    ) -> None:
        self._database = database
        self._messages = messages
        self._rows = rows
        self._written = written
        self._clock = clock
        self._signals = signals
        self._seconds = instrument.histogram(
            "esclusa_storage_flush_seconds", "Time that one group of writes took", bounds=SECONDS
        )
        self._entries = instrument.histogram("esclusa_storage_flush_entries", "Writes in one group", bounds=ENTRIES)

    def reload(self) -> None:
        """Read what is there; `StorageUnavailable` where it can't be read."""
        self._messages.reload()
        self._rows.reload()
        self._database.doubtful = False

    def ready(self) -> None:
        """Be sure that what is remembered is what is there; `StorageUnavailable` if that can't be told now."""
        if self._database.doubtful:
            self.reload()

    def carry_out(self, group: Sequence[Write[Any]]) -> None:
        """Make all of `group` durable and visible, or raise `StorageUnavailable`."""
        begun = self._clock.ticks()
        self.ready()
        try:
            self._write(group)
        except StorageError as error:
            self._signals.emit("storage.failed", error=str(error))
            self._mend()
            raise
        self._messages.publish()
        self._rows.publish()
        self._written(sum([write.size for write in group]))
        self._seconds.observe(self._clock.ticks() - begun)
        self._entries.observe(len(group))
        self._signals.emit("storage.committed", entries=len(group))

    def _mend(self) -> None:
        """Try to be ready at once: what was durable after all is then seen by its readers."""
        try:
            self.ready()
        except StorageError:
            return  # the next use tries again

    def _write(self, group: Sequence[Write[Any]]) -> None:
        messages, rows, now = self._messages, self._rows, self._clock.millis()
        with self._database.transaction() as connection:
            for write in group:
                if isinstance(write, Put):
                    rows.put(connection, write, now)
                elif isinstance(write, Append):
                    messages.append(write)
                elif isinstance(write, Commit):
                    messages.commit(write)
                elif isinstance(write, Add):
                    rows.add(connection, write, now)
                elif isinstance(write, Forget):
                    rows.forget(connection, write, now)
                elif isinstance(write, Read):
                    rows.flush(connection, now)
                    write.result = rows.rows_at(write.key, write.bodies, now)
            rows.flush(connection, now)
            messages.write(connection)

    def rows(self, key: bytes, bodies: bool | Collection[str]) -> list[Row]:
        """The rows of `key` that have not expired."""
        self.ready()
        return self._rows.rows(key, bodies)

"""What SQLite and the file system say, in the words of the port."""

from __future__ import annotations

import errno
import sqlite3

from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.instrument import Counter, Instrument

FULL, READ_ONLY, IO, BUSY, DAMAGED, ABSENT, OTHER = "full", "read-only", "io", "busy", "damaged", "absent", "other"

_WORDS = {
    FULL: "the disk is full",
    READ_ONLY: "the data folder can't be written to",
    IO: "the disk gave an I/O error",
    BUSY: "another program holds the database",
    DAMAGED: "the database file is damaged",
    ABSENT: "a file of the data folder can't be opened",
}
_SQLITE = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_PERM: READ_ONLY,
    sqlite3.SQLITE_IOERR: IO,
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_CANTOPEN: ABSENT,
}
_ERRNO = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: FULL,
    errno.EROFS: READ_ONLY,
    errno.EACCES: READ_ONLY,
    errno.EPERM: READ_ONLY,
    errno.EIO: IO,
    errno.ENOENT: ABSENT,
    errno.ENOTDIR: ABSENT,
}


def counter(instrument: Instrument) -> Counter:
    """Where failures are counted."""
    return instrument.counter("esclusa_storage_errors_total", "Storage operations that failed, by cause", "cause")


def kind(error: sqlite3.Error | OSError) -> str:
    """One word for what happened: a label of `esclusa_storage_errors_total`."""
    if isinstance(error, OSError):
        return _ERRNO.get(error.errno or 0, OTHER)
    return _SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, OTHER)  # the low byte; above it are finer shades


def unavailable(error: sqlite3.Error | OSError) -> StorageUnavailable:
    """The port's error for `error`, which is its cause."""
    known = _WORDS.get(kind(error))
    translated = StorageUnavailable(f"{known} ({error})" if known else f"the storage failed ({error})")
    translated.__cause__ = error
    return translated

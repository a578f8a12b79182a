"""What SQLite and the file system say, in words."""

from __future__ import annotations

import errno
import sqlite3

import pytest

from esclusa.engines.sqlite.errors import kind, unavailable
from esclusa.kernel.errors import StorageUnavailable


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("what sqlite says")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "word", "words"),
    [
        (sqlite_error(sqlite3.SQLITE_FULL), "full", "the disk is full"),
        (sqlite_error(sqlite3.SQLITE_READONLY_DIRECTORY), "read-only", "can't be written to"),
        (sqlite_error(sqlite3.SQLITE_IOERR_WRITE), "io", "I/O error"),
        (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), "busy", "another program holds the database"),
        (sqlite_error(sqlite3.SQLITE_CORRUPT), "damaged", "damaged"),
        (sqlite_error(sqlite3.SQLITE_NOTADB), "damaged", "damaged"),
        (sqlite_error(sqlite3.SQLITE_CANTOPEN), "absent", "can't be opened"),
        (sqlite_error(sqlite3.SQLITE_MISUSE), "other", "the storage failed"),
        (sqlite3.ProgrammingError("closed"), "other", "the storage failed"),
        (OSError(errno.ENOSPC, "No space left on device"), "full", "the disk is full"),
        (OSError(errno.EROFS, "Read-only file system"), "read-only", "can't be written to"),
        (PermissionError(errno.EACCES, "Permission denied"), "read-only", "can't be written to"),
        (OSError(errno.EIO, "Input/output error"), "io", "I/O error"),
        (OSError("nothing known"), "other", "the storage failed"),
    ],
)
def test_every_cause_has_a_word_for_counters_and_words_for_people(
    error: sqlite3.Error | OSError, word: str, words: str
) -> None:
    assert kind(error) == word
    translated = unavailable(error)
    assert isinstance(translated, StorageUnavailable)
    assert words in str(translated)
    assert str(error) in str(translated)
    assert translated.__cause__ is error

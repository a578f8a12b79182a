"""Stands in for a connection to SQLite: the real one, but for statements that fail as on a broken disk."""

from __future__ import annotations

import sqlite3


class FailingConnection:
    """`real`, on which statements that begin with `at` fail; `late`: only after they have been carried out."""

    def __init__(self, real: sqlite3.Connection, *at: str, late: bool = False) -> None:
        self._real = real
        self._at = at
        self._late = late

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def execute(self, sql: str, parameters: tuple[object, ...] = ()) -> sqlite3.Cursor:
        if sql.startswith(self._at):
            if self._late:
                self._real.execute(sql, parameters)
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
            raise error
        return self._real.execute(sql, parameters)

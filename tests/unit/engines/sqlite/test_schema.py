"""The ladder by which a database becomes a present one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from esclusa.engines.sqlite.schema import LADDER, climb
from esclusa.kernel.errors import StorageTooNew

TWO = (*LADDER, ("ALTER TABLE records ADD COLUMN note TEXT", "CREATE INDEX by_note ON records (note)"))


def version(connection: sqlite3.Connection) -> int:
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    assert isinstance(number, int)
    return number


def connection(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def test_an_empty_database_takes_every_step(tmp_path: Path) -> None:
    database = connection(tmp_path / "db")
    climb(database)
    assert version(database) == len(LADDER)
    climb(database)
    database.close()


def test_an_older_database_takes_the_steps_that_it_lacks_and_keeps_its_data(tmp_path: Path) -> None:
    database = connection(tmp_path / "db")
    climb(database)
    database.execute("INSERT INTO records VALUES (x'01', 'name', 0, 0, x'02', x'03')")
    climb(database, TWO)
    assert version(database) == 2
    assert database.execute("SELECT * FROM records").fetchall() == [(b"\x01", "name", 0, 0, b"\x02", b"\x03", None)]
    database.close()


def test_a_newer_database_is_refused_with_the_remedy_and_left_as_it_is(tmp_path: Path) -> None:
    database = connection(tmp_path / "db")
    climb(database, TWO)
    with pytest.raises(StorageTooNew, match=r"format 2, this one knows 1.*another folder"):
        climb(database)
    assert version(database) == 2
    database.close()


def test_a_step_that_fails_is_undone_wholly(tmp_path: Path) -> None:
    database = connection(tmp_path / "db")
    climb(database)
    broken = (*LADDER, ("CREATE TABLE extra (a)", "CREATE TABLE records (a)"))
    with pytest.raises(sqlite3.OperationalError):
        climb(database, broken)
    assert version(database) == 1
    assert database.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'").fetchone() == (0,)
    climb(database, TWO)
    database.close()

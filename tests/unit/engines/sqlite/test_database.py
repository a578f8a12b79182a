"""The connection: what it promises of a transaction, and how it mends itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from esclusa.engines.sqlite.database import AT_ONCE, Database, insert_all
from esclusa.kernel.errors import Closed, StorageUnavailable
from esclusa.kernel.instrument import Instrument
from support.failing_connection import FailingConnection


@pytest.fixture
def instrument() -> Instrument:
    return Instrument()


@pytest.fixture
def database(tmp_path: Path, instrument: Instrument) -> Iterator[Database]:
    opened = Database(instrument)
    opened.open(tmp_path / "hub.db")
    yield opened
    opened.close()


def add(database: Database, key: bytes, then: str = "") -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO tombstones VALUES (?, 1)", (key,))
        connection.execute(then)


def keys(database: Database) -> list[bytes]:
    return [key for (key,) in database.read("SELECT key FROM tombstones ORDER BY key")]


def test_a_transaction_is_done_wholly_or_not(database: Database) -> None:
    add(database, b"a")
    with pytest.raises(StorageUnavailable):
        add(database, b"b", "INSERT INTO nowhere VALUES (1)")
    assert keys(database) == [b"a"]
    assert database.doubtful


def test_a_mistake_inside_a_transaction_undoes_it_too(database: Database) -> None:
    with pytest.raises(TypeError):
        add(database, b"b", 7)  # type: ignore[arg-type]  # the mistake
    assert keys(database) == []
    add(database, b"a")


@pytest.mark.parametrize("at", [("BEGIN",), ("INSERT",), ("COMMIT",), ("COMMIT", "ROLLBACK")])
def test_whatever_fails_the_next_transaction_succeeds_when_the_disk_is_back(
    database: Database, instrument: Instrument, at: tuple[str, ...]
) -> None:
    real = database._connection
    assert real is not None
    database._connection = FailingConnection(real, *at)  # type: ignore[assignment]  # a stand-in
    with pytest.raises(StorageUnavailable, match="I/O error"):
        add(database, b"a")
    if database._connection is not None:
        database._connection = real
    add(database, b"b")
    assert keys(database) == [b"b"]
    assert instrument.counters["esclusa_storage_errors_total"].values == {("io",): 1}


def test_a_commit_that_was_not_acknowledged_may_have_been_done(database: Database) -> None:
    real = database._connection
    assert real is not None
    database._connection = FailingConnection(real, "COMMIT", late=True)  # type: ignore[assignment]  # a stand-in
    with pytest.raises(StorageUnavailable):
        add(database, b"a")
    assert database.doubtful, "so that what is remembered is read again"
    assert keys(database) == [b"a"]


def test_a_read_that_fails_is_unavailable_too(database: Database) -> None:
    with pytest.raises(StorageUnavailable):
        database.read("SELECT * FROM nowhere")
    with pytest.raises(StorageUnavailable):
        next(database.stream("SELECT * FROM nowhere"))
    assert not database.doubtful


def test_before_it_is_opened_and_after_it_is_closed_it_is_closed(tmp_path: Path) -> None:
    database = Database(Instrument())
    with pytest.raises(Closed):
        add(database, b"a")
    database.open(tmp_path / "hub.db")
    database.close()
    with pytest.raises(Closed):
        database.read("SELECT 1")


def test_what_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "hub.db").write_bytes(b"this is a letter to my aunt, and not a database at all" * 100)
    with pytest.raises(StorageUnavailable, match="damaged"):
        Database(Instrument()).open(tmp_path / "hub.db")


@pytest.mark.parametrize("count", [0, 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
def test_rows_are_inserted_many_to_a_statement(database: Database, count: int) -> None:
    statements: list[str] = []
    with database.transaction() as connection:
        connection.set_trace_callback(statements.append)
        values = [value for number in range(count) for value in (b"%04d" % number, number)]
        insert_all(connection, "tombstones", 2, values, "ON CONFLICT (key) DO UPDATE SET until = ?", (7,))
        connection.set_trace_callback(None)
    assert len(keys(database)) == count
    assert len(statements) == -(-count // AT_ONCE)


def test_it_checkpoints_only_when_told_to(database: Database) -> None:
    assert database.read("PRAGMA wal_autocheckpoint") == [(0,)]
    assert database.read("PRAGMA journal_mode") == [("wal",)]
    assert database.read("PRAGMA synchronous") == [(1,)]

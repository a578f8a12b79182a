"""The tables, and how an older database becomes a present one.

`PRAGMA user_version` counts the steps of the ladder that a database has taken. A step is never changed once released.

- `messages`: one entry a message; `place` is the partition's id and the offset in one number, so that a partition is
  read in one sweep; `behind` is how much `made` is behind the latest one before it, so that `made + behind` only grows
  and a moment can be looked up by halving.
- `partitions`: `floor` is where a partition ends whose messages have all been deleted.
- `positions`: how far a group (`reader`) has come.
- `records`: the rows of a key stand together.
- `expiries`: at which times something of a key expires; one entry for all rows of a key that expire together.
"""

from __future__ import annotations

import sqlite3

from esclusa.kernel.errors import StorageTooNew

LADDER: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE partitions (
            id INTEGER PRIMARY KEY, topic TEXT NOT NULL, number INTEGER NOT NULL, keep REAL NOT NULL,
            floor INTEGER NOT NULL DEFAULT 0, UNIQUE (topic, number))""",
        """CREATE TABLE messages (
            place INTEGER PRIMARY KEY, made INTEGER NOT NULL, behind INTEGER NOT NULL, key BLOB NOT NULL,
            value BLOB NOT NULL)""",
        """CREATE TABLE positions (
            partition INTEGER NOT NULL, reader TEXT NOT NULL, position INTEGER NOT NULL,
            PRIMARY KEY (partition, reader)) WITHOUT ROWID""",
        """CREATE TABLE records (
            key BLOB NOT NULL, name TEXT NOT NULL, rank INTEGER NOT NULL, expires INTEGER NOT NULL, head BLOB NOT NULL,
            body BLOB NOT NULL, PRIMARY KEY (key, name)) WITHOUT ROWID""",
        "CREATE TABLE tombstones (key BLOB PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE TABLE expiries (expires INTEGER NOT NULL, key BLOB NOT NULL, PRIMARY KEY (expires, key)) WITHOUT ROWID",
    ),
)


def climb(connection: sqlite3.Connection, ladder: tuple[tuple[str, ...], ...] = LADDER) -> None:
    """Take the steps that `connection`'s database has not taken; `StorageTooNew` if it has taken more than there are."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(ladder):
        raise StorageTooNew(f"{too_new(version, len(ladder))}: run that version, or give this one another folder")
    for number, step in enumerate(ladder[version:], version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in step:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise


def too_new(version: int, known: int) -> str:
    """What to say of data that a newer version has written."""
    return f"the data were written by a newer version of this program (format {version}, this one knows {known})"

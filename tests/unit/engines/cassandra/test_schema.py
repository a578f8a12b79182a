"""What is printed for who makes keyspaces and tables: what the program makes itself."""

from __future__ import annotations

import pytest

from esclusa.engines.cassandra.schema import LADDER, keyspaces, replicas_in, script, tabled, tables, taken
from esclusa.engines.cassandra.settings import CassandraSettings
from esclusa.kernel.errors import StorageError

SETTINGS = CassandraSettings(hosts=["node"], datacentre="madrid", keyspace="ours", username='A "user"', password="a secret")


def statements(settings: CassandraSettings) -> list[str]:
    """Each in one line."""
    lines = [line for line in script(settings).splitlines() if not line.startswith("--")]
    return [" ".join(statement.split()) for statement in "\n".join(lines).split(";") if statement.strip()]


def test_it_is_what_is_made_step_by_step_and_then_remembered() -> None:
    said = statements(SETTINGS)
    made = [*keyspaces(SETTINGS, "madrid").values(), *(tabled(statement, SETTINGS) for step in LADDER for statement in step)]
    assert [statement for statement in said if statement in made] == made
    assert tabled(taken(len(LADDER)), SETTINGS) in said[said.index(made[-1]) :]


def test_the_user_gets_its_rights_and_nobody_none() -> None:
    grants = [statement for statement in statements(SETTINGS) if statement.startswith("GRANT")]
    assert grants == [
        f'GRANT {right} ON KEYSPACE {keyspace} TO "A ""user"""'
        for keyspace in ("ours", "ours_keys")
        for right in ("SELECT", "MODIFY")
    ] + ['GRANT SELECT ON system_views.settings TO "A ""user"""']
    assert "a secret" not in script(SETTINGS)
    assert "GRANT" not in script(CassandraSettings(hosts=["node"], datacentre="madrid"))


@pytest.mark.parametrize(("datacentre", "words"), [("", "set it"), ("mad'rid", "quote")])
def test_a_datacentre_that_can_not_stand_in_a_statement_is_refused(datacentre: str, words: str) -> None:
    with pytest.raises(StorageError, match=words):
        script(CassandraSettings(hosts=["node"], datacentre=datacentre))


def test_every_table_has_its_keyspace() -> None:
    assert tables(SETTINGS) == {("ours", "esclusa"), ("ours", "records"), ("ours", "deaths"), ("ours_keys", "keys")}


@pytest.mark.parametrize(
    ("replication", "replicas"),
    [
        ({"class": "org.apache.cassandra.locator.NetworkTopologyStrategy", "madrid": "3", "vigo": "1"}, 3),
        ({"class": "org.apache.cassandra.locator.NetworkTopologyStrategy", "vigo": "1"}, 0),
        ({"class": "org.apache.cassandra.locator.SimpleStrategy", "replication_factor": "2"}, 2),
        ({"class": "org.apache.cassandra.locator.NetworkTopologyStrategy", "madrid": "3/1"}, 3),
    ],
)
def test_the_replicas_that_a_datacentre_has(replication: dict[str, str], replicas: int) -> None:
    assert replicas_in("madrid", replication) == replicas

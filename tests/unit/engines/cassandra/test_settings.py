"""What can't be kept of `[cassandra]` is refused with its remedy."""

from __future__ import annotations

import msgspec
import pytest

from esclusa.engines.cassandra.settings import CassandraSettings, CassandraTlsSettings, check, contact
from esclusa.kernel.errors import StorageError

SOUND = CassandraSettings(hosts=["node"], username="esclusa", password="open sesame", tls=CassandraTlsSettings(ca="ca.pem"))


def test_a_secured_cluster_is_sound() -> None:
    check(SOUND)
    check(CassandraSettings(hosts=["node"]))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"replication": 2}, "cassandra.replication can't be 2"),
        ({"username": ""}, "cassandra.password without cassandra.username"),
        ({"tls": CassandraTlsSettings(ca="ca.pem", key="key.pem")}, "belong together"),
        ({"tls": CassandraTlsSettings(ca="ca.pem", certificate="own.pem")}, "belong together"),
    ],
)
def test_what_can_not_be_kept_is_refused_with_its_remedy(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(StorageError, match=words) as refused:
        check(msgspec.structs.replace(SOUND, **wrong))
    assert "sesame" not in str(refused.value)


def test_a_cluster_has_one_port() -> None:
    assert contact(["node1:9142", "node2:9142"]) == (["node1", "node2"], 9142)
    with pytest.raises(StorageError, match="several ports"):
        contact(["node1:9142", "node2"])

"""What the configuration says of Cassandra: `[cassandra]`."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import StorageError
from esclusa.kernel.settings import FilePath, Positive, Secret, Settings, TlsSettings

PORT = 9042
"""Where Cassandra listens unless told otherwise."""
QUORATE = 3
"""Replicas from which on a quorum outlives the loss of one."""
LONGEST = 86_400
"""Seconds that a row may live, and a key be forgotten: no query's keep can be longer."""


class CassandraTlsSettings(TlsSettings, frozen=True, kw_only=True):
    """How nodes are recognised, and how this program shows who it is. All files are PEM; of TLS, version 1.2 is spoken."""

    ca: FilePath  # pyright: ignore[reportGeneralTypeIssues] - fields have no order here, so one without a default may come last
    """The authorities that nodes' certificates must come from."""
    identity: Literal["address", "name", "authority"] = "address"
    """What a node's certificate has to say, beside coming from an authority of `ca`.

    `address`: the node's address. `name`: its name, as given in `hosts` or, for the nodes that are found by these, as it is
    found for their address (reverse DNS). `authority`: nothing more; for clusters of which all nodes have one certificate,
    and an authority that nobody else gets one from.
    """


class CassandraSettings(Settings, frozen=True, kw_only=True):
    """Where the cluster is, and how it is used."""

    hosts: Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(min_length=1)]
    """Nodes to begin with, `name` or `name:port` (9042 unless given, the same for all); the others are found by them."""
    datacentre: str = ""
    """The one that this process uses, as the cluster calls it. Needed where there are several."""
    keyspace: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,42}$")] = "esclusa"
    """Made at the first start, with its tables, where it is missing; and another, named after it, for the keys."""
    replication: Positive = 3
    """Replicas of every row in the datacentre: 3 or more, or 1 where a node that is down may stop everything. Never 2.

    Consistency follows from it and can't be set: `LOCAL_QUORUM` for every read and write, `LOCAL_ONE` of one replica.
    """
    username: str = ""
    """Whom to log in as; nobody unless given."""
    password: Secret = ""
    """Of that user; from the environment: `"${CASSANDRA_PASSWORD}"`."""
    tls: CassandraTlsSettings | None = None
    """Connections are encrypted where this is given."""
    timeout: Duration = Duration(3)
    """How long a statement may take, another attempt included; then it counts as not done. Most operations are one or two."""


def check(settings: CassandraSettings) -> None:
    """`StorageError` for what can't be kept, with the remedy."""
    if 1 < settings.replication < QUORATE:
        raise StorageError(
            f"cassandra.replication can't be {settings.replication}: two replicas stop as soon as one of them is down, and lose"
            " no less than one; set 3 or more, or 1"
        )
    if settings.password and not settings.username:
        raise StorageError("cassandra.password without cassandra.username: whose is it? give both, or neither")
    tls = settings.tls
    if tls is not None and bool(tls.certificate) != bool(tls.key):
        raise StorageError("cassandra.tls.certificate and cassandra.tls.key belong together: give both, or neither")


def contact(hosts: list[str]) -> tuple[list[str], int]:
    """Names or addresses, and their port. `StorageError` where the ports differ or are none."""
    split = [_split(host) for host in hosts]
    ports = {port for _, port in split}
    if len(ports) > 1:
        raise StorageError(f"cassandra.hosts name several ports ({', '.join(map(str, sorted(ports)))}): a cluster has one")
    return [name for name, _ in split], ports.pop()


def _split(host: str) -> tuple[str, int]:
    """`name:port`, `name`, `[::1]:port` or `::1`."""
    name, colon, port = host.rpartition(":")
    if not colon or (":" in name and not name.endswith("]")) or host.endswith("]"):
        name, port = host, str(PORT)
    if not port.isascii() or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise StorageError(f'cassandra.hosts: "{host}" is neither a name nor name:port')
    return name.strip("[]"), int(port)

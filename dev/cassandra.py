"""Apache Cassandra: one token a node, all started at once."""

from __future__ import annotations

import asyncio
import json
import ssl
import struct
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dev.cluster import Cluster, free_ports
from dev.jars import java
from dev.node import Node, NotReady

if TYPE_CHECKING:  # plain engines are started without the packages that make certificates
    from dev.secured import Secured

VERSION = "5.0.5"
DATACENTRE = "datacenter1"
_HEAP = ("-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss512k")
_OPENED = (
    *(f"java.base/{name}" for name in (
        "java.lang", "java.lang.module", "java.lang.ref", "java.lang.reflect", "java.io", "java.nio", "java.util",
        "java.util.concurrent", "java.util.concurrent.atomic", "jdk.internal.loader", "jdk.internal.misc", "jdk.internal.ref",
        "jdk.internal.reflect", "jdk.internal.math", "jdk.internal.module", "jdk.internal.util.jar", "sun.nio.ch",
    )),
    "java.rmi/sun.rmi.registry", "java.rmi/sun.rmi.server", "java.rmi/sun.rmi.transport.tcp",
    "java.management/com.sun.jmx.remote.security", "java.sql/java.sql", "jdk.management/com.sun.management.internal",
    "jdk.unsupported/sun.misc",
)  # fmt: skip
"""What Cassandra's own options open to it on Java 17."""
_LOGBACK = """<configuration><appender name="out" class="ch.qos.logback.core.ConsoleAppender">
<encoder><pattern>%date %level %logger{0} %msg%n</pattern></encoder></appender>
<root level="INFO"><appender-ref ref="out"/></root></configuration>
"""
_HEADER = struct.Struct("!BBhBi")
_ERROR, _STARTUP, _AUTHENTICATE, _QUERY, _AUTH_RESPONSE = 0, 1, 3, 7, 15
_QUORUM = 4
_FIRST = ("cassandra", "cassandra")
"""The administrator, and the password, that a node begins with."""
_PEERS = "SELECT count(*) FROM system.peers_v2"


class Cassandra(Cluster):
    """Nodes on 127.0.0.1, 127.0.0.2, ..., all with the same port."""

    name = "cassandra"
    artifacts = (f"org.apache.cassandra:cassandra-all:{VERSION}",)

    async def prepare(self, jars: Path, folder: Path, count: int) -> list[Node]:
        """As `Cluster.prepare`."""
        hosts = [f"127.0.0.{number}" for number in range(1, count + 1)]
        port, storage = free_ports(2, hosts)
        nodes = []
        for number, (host, control) in enumerate(zip(hosts, free_ports(count), strict=True)):
            own = folder / f"cassandra-{number + 1}"
            own.mkdir()
            settings, logback = own / "cassandra.yaml", own / "logback.xml"
            token = -(2**63) + number * (2**64 // count)
            lines = _settings(host, port, storage, token, hosts) | _security(self._secured)
            settings.write_text(json.dumps(lines, indent=1))  # JSON is YAML too
            logback.write_text(_LOGBACK)
            command = [
                java(), *_HEAP,
                *(word for name in _OPENED for kind in ("exports", "opens") for word in (f"--add-{kind}", f"{name}=ALL-UNNAMED")),
                "-Djdk.attach.allowAttachSelf=true",
                f"-Dcassandra.config=file://{settings}",
                f"-Dcassandra.storagedir={own}",
                "-Dcassandra-foreground=yes",
                f"-Dlogback.configurationFile={logback}",
                "-Dcassandra.ring_delay_ms=1",
                "-Dcassandra.skip_wait_for_gossip_to_settle=0",
                "-Dcassandra.superuser_setup_delay_ms=0",
                f"-Dcassandra.jmx.local.port={control}",
                "-cp", f"{jars}/*",
                "org.apache.cassandra.service.CassandraDaemon",
            ]  # fmt: skip
            address = f"{host}:{port}"
            ready = partial(_sees, address, count, self._secured)
            nodes.append(Node(f"cassandra-{number + 1}", address, command, own / "log", ready))
        return nodes

    async def grant(self, secured: Secured) -> None:
        """As `Cluster.grant`. The role `cassandra`, that everybody knows the password of, is left without one."""
        link = await _connected(self.addresses[0], secured)
        try:
            everywhere = f"{{'class': 'NetworkTopologyStrategy', '{DATACENTRE}': {len(self.nodes)}}}"
            await link.query(f"ALTER KEYSPACE system_auth WITH replication = {everywhere}")
            for user in secured.users:
                may = f"LOGIN = true AND SUPERUSER = {str(user is secured.admin).lower()}"
                await link.query(f"CREATE ROLE {user.name} WITH PASSWORD = '{user.password}' AND {may}")
            await link.query(f"GRANT CREATE ON ALL KEYSPACES TO {secured.user.name}")  # who makes one may do everything with it
            await link.query(f"ALTER ROLE cassandra WITH PASSWORD = '{secured.admin.password}'")
        finally:
            link.close()


def _settings(host: str, port: int, storage: int, token: int, hosts: list[str]) -> dict[str, object]:
    return {
        "cluster_name": "esclusa",
        "num_tokens": 1,
        "initial_token": str(token),
        "auto_bootstrap": False,
        "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
        "endpoint_snitch": "SimpleSnitch",
        "seed_provider": [
            {
                "class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
                "parameters": [{"seeds": ",".join(f"{each}:{storage}" for each in hosts)}],
            }
        ],
        "listen_address": host,
        "rpc_address": host,
        "native_transport_port": port,
        "storage_port": storage,
        "commitlog_sync": "periodic",
        "commitlog_sync_period": "10000ms",
        "memtable_allocation_type": "heap_buffers",
        "hinted_handoff_enabled": False,  # docs/howto/cluster.md says why
    }


def _security(secured: Secured | None) -> dict[str, object]:
    """What is added for a secured node."""
    if secured is None:
        return {}
    return {
        "authenticator": "PasswordAuthenticator",
        "authorizer": "CassandraAuthorizer",
        "client_encryption_options": {
            "enabled": True,
            "optional": False,
            "require_client_auth": secured.required,
            "keystore": str(secured.store),
            "truststore": str(secured.ca),
            "ssl_context_factory": {"class_name": "org.apache.cassandra.security.PEMBasedSslContextFactory"},
        },
    }


async def _sees(address: str, count: int, secured: Secured | None) -> bool:
    """Whether the node takes queries and knows of all its peers."""
    try:
        link = await _connected(address, secured)
    except NotReady:
        return False
    try:
        return int.from_bytes((await link.query(_PEERS))[-8:], "big") >= count - 1
    except NotReady:
        return False
    finally:
        link.close()


class _Link(NamedTuple):
    """A connection that one frame after the other goes over, of the native protocol, version 4."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, opcode: int, body: bytes) -> tuple[int, bytes]:
        """What is answered. `NotReady` with what an error says."""
        self.writer.write(_HEADER.pack(4, 0, 0, opcode, len(body)) + body)
        _, _, _, answered, length = _HEADER.unpack(await self.reader.readexactly(_HEADER.size))
        said = await self.reader.readexactly(length)
        if answered == _ERROR:
            raise NotReady(f"cassandra: {said[6:].decode(errors='replace')}")
        return answered, said

    async def query(self, statement: str) -> bytes:
        """The result, undecoded."""
        query = statement.encode()
        return (await self.say(_QUERY, struct.pack("!i", len(query)) + query + struct.pack("!hB", _QUORUM, 0)))[1]

    def close(self) -> None:
        """Let go."""
        self.writer.close()


async def _connected(address: str, secured: Secured | None) -> _Link:
    """A connection to a node; of its administrator where it is a secured one. `NotReady` if it won't have it."""
    if secured is None:
        return await _opened(address)
    try:
        return await _opened(address, secured.context(), secured.admin)
    except NotReady:  # nobody has been made yet
        return await _opened(address, secured.context(), _FIRST)


async def _opened(address: str, context: ssl.SSLContext | None = None, user: tuple[str, str] = ("", "")) -> _Link:
    host, _, port = address.rpartition(":")
    link = _Link(*await asyncio.open_connection(host, int(port), ssl=context))
    try:
        version = b"".join(struct.pack("!h", len(word)) + word for word in (b"CQL_VERSION", b"3.0.0"))
        opcode, _ = await link.say(_STARTUP, struct.pack("!h", 1) + version)
        if opcode == _AUTHENTICATE:
            shown = "".join(f"\0{word}" for word in user).encode()
            await link.say(_AUTH_RESPONSE, struct.pack("!i", len(shown)) + shown)
    except BaseException:
        link.close()
        raise
    return link

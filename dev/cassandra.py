"""Apache Cassandra: one token a node, all started at once."""

from __future__ import annotations

import asyncio
import json
import struct
from functools import partial
from pathlib import Path

from dev.cluster import Cluster, free_ports
from dev.jars import java
from dev.node import Node

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
_STARTUP, _READY, _QUERY, _RESULT = 1, 2, 7, 8
_PEERS = b"SELECT count(*) FROM system.peers_v2"


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
            settings.write_text(json.dumps(_settings(host, port, storage, token, hosts), indent=1))  # JSON is YAML too
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
                f"-Dcassandra.jmx.local.port={control}",
                "-cp", f"{jars}/*",
                "org.apache.cassandra.service.CassandraDaemon",
            ]  # fmt: skip
            nodes.append(
                Node(f"cassandra-{number + 1}", f"{host}:{port}", command, own / "log", partial(_sees, host, port, count))
            )
        return nodes


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
        "hinted_handoff_enabled": True,
    }


async def _sees(host: str, port: int, count: int) -> bool:
    """Whether the node takes queries and knows of all its peers."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        version = b"CQL_VERSION", b"3.0.0"
        words = b"".join(struct.pack("!h", len(word)) + word for word in version)
        opcode, _ = await _say(reader, writer, _STARTUP, struct.pack("!h", 1) + words)
        if opcode != _READY:
            return False
        query = struct.pack("!i", len(_PEERS)) + _PEERS + struct.pack("!hB", 1, 0)
        opcode, body = await _say(reader, writer, _QUERY, query)
        return opcode == _RESULT and int.from_bytes(body[-8:], "big") >= count - 1
    finally:
        writer.close()


async def _say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opcode: int, body: bytes) -> tuple[int, bytes]:
    """One frame there and one back, of the native protocol, version 4."""
    writer.write(_HEADER.pack(4, 0, 0, opcode, len(body)) + body)
    _, _, _, answered, length = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    return answered, await reader.readexactly(length)

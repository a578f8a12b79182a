"""Apache Kafka in KRaft mode: each node a broker and a controller in one process."""

from __future__ import annotations

import asyncio
import struct
from base64 import urlsafe_b64encode
from functools import partial
from pathlib import Path
from uuid import uuid4

from dev.cluster import Cluster, free_ports
from dev.jars import java
from dev.node import Node, NotReady

VERSION = "4.1.0"
REPLICAS = 3
"""Of each partition, where there are so many brokers; two of them have to have a message before it is acknowledged."""
_HEAP = ("-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_METADATA = struct.pack("!ihhih", 14, 3, 1, 1, -1) + struct.pack("!i", 0)


class Kafka(Cluster):
    """Brokers on 127.0.0.1."""

    name = "kafka"
    artifacts = (
        f"org.apache.kafka:kafka_2.13:{VERSION}",
        f"org.apache.kafka:kafka-tools:{VERSION}",
        "org.slf4j:slf4j-simple:1.7.36",
    )

    async def prepare(self, jars: Path, folder: Path, count: int) -> list[Node]:
        """As `Cluster.prepare`."""
        ports = list(free_ports(2 * count))
        voters = ",".join(f"{number}@127.0.0.1:{port}" for number, port in enumerate(ports[count:], 1))
        cluster = urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
        run = [java(), *_HEAP, "-cp", f"{jars}/*"]
        nodes = []
        for number in range(1, count + 1):
            own = folder / f"kafka-{number}"
            own.mkdir()
            port, control = ports[number - 1], ports[count + number - 1]
            settings = own / "server.properties"
            settings.write_text(_settings(number, port, control, voters, own / "data", count))
            await _format(run, cluster, settings)
            ready = partial(_sees, port, count)
            nodes.append(Node(f"kafka-{number}", f"127.0.0.1:{port}", [*run, "kafka.Kafka", str(settings)], own / "log", ready))
        return nodes


def _settings(number: int, port: int, control: int, voters: str, data: Path, count: int) -> str:
    replicas = min(count, REPLICAS)
    acknowledged = 2 if replicas == REPLICAS else 1
    return f"""process.roles=broker,controller
node.id={number}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor={replicas}
min.insync.replicas={acknowledged}
offsets.topic.num.partitions=8
offsets.topic.replication.factor={replicas}
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={acknowledged}
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={acknowledged}
group.initial.rebalance.delay.ms=0
group.consumer.min.heartbeat.interval.ms=500
group.consumer.min.session.timeout.ms=3000
"""


async def _format(run: list[str], cluster: str, settings: Path) -> None:
    tool = await asyncio.create_subprocess_exec(
        *run, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "--config", str(settings),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await tool.communicate()
    if tool.returncode:
        raise NotReady(f"kafka's data can't be laid out: {said.decode(errors='replace')[-2000:]}")


async def _sees(port: int, count: int) -> bool:
    """Whether the broker on `port` knows of `count` brokers: a Metadata request of version 1, for no topic."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(_METADATA)
        size, _, brokers = struct.unpack("!iii", await reader.readexactly(12))
        return bool(size > 0 and brokers >= count)
    finally:
        writer.close()

"""Apache Kafka in KRaft mode: each node a broker and a controller in one process."""

from __future__ import annotations

import asyncio
import struct
from base64 import urlsafe_b64encode
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from dev.cluster import Cluster, free_ports
from dev.jars import java
from dev.node import LOOK, PATIENCE, Node, NotReady

if TYPE_CHECKING:  # plain engines are started without the packages that make certificates
    from dev.secured import Secured

VERSION = "4.1.0"
REPLICAS = 3
"""Of each partition, where there are so many brokers; two of them have to have a message before it is acknowledged."""
PLAIN = ("PLAINTEXT",)
SECURED = ("SASL_SSL", "SSL", "SASL_PLAINTEXT")
"""Protocols of the listeners that a broker has; the first is that of `addresses`, and what brokers say to each other."""
_HEAP = ("-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
_MODULES = "org.apache.kafka.common.security"
_METADATA, _HANDSHAKE, _DESCRIBE_ACLS, _CREATE_ACLS, _AUTHENTICATE = (3, 1), (17, 1), (29, 1), (30, 1), (36, 0)
"""Requests by number and version."""
_ANY, _TOPIC, _GROUP, _PREFIXED, _ALLOW = 1, 2, 3, 4, 3
_READ, _WRITE, _CREATE, _DELETE, _ALTER, _DESCRIBE, _ALTER_CONFIGS = 3, 4, 5, 6, 7, 8, 11
RIGHTS = {_TOPIC: (_READ, _WRITE, _CREATE, _DELETE, _ALTER), _GROUP: (_READ, _DESCRIBE, _ALTER_CONFIGS)}
"""What Esclusa needs, to whatever has its prefix. Who may read, write, delete or alter a topic may look at it."""


class Kafka(Cluster):
    """Brokers on 127.0.0.1."""

    name = "kafka"
    artifacts = (
        f"org.apache.kafka:kafka_2.13:{VERSION}",
        f"org.apache.kafka:kafka-tools:{VERSION}",
        "org.slf4j:slf4j-simple:1.7.36",
    )
    listeners: dict[str, list[str]]
    """`host:port` of each node by protocol: those of `SECURED`, or of `PLAIN`."""

    async def prepare(self, jars: Path, folder: Path, count: int) -> list[Node]:
        """As `Cluster.prepare`."""
        protocols = SECURED if self._secured else PLAIN
        ports = free_ports((len(protocols) + 1) * count)
        self.listeners = {protocol: [f"127.0.0.1:{next(ports)}" for _ in range(count)] for protocol in protocols}
        voters = [f"127.0.0.1:{port}" for port in ports]
        cluster = urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
        run = [java(), *_HEAP, "-cp", f"{jars}/*"]
        nodes = []
        for number, address in enumerate(self.listeners[protocols[0]], 1):
            own = folder / f"kafka-{number}"
            own.mkdir()
            listeners = {protocol: addresses[number - 1] for protocol, addresses in self.listeners.items()}
            settings = own / "server.properties"
            lines = _settings(number, listeners, voters, own / "data") | _security(self._secured)
            settings.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
            await _format(run, cluster, settings, self._secured)
            ready = partial(_sees, address, count, self._secured)
            nodes.append(Node(f"kafka-{number}", address, [*run, "kafka.Kafka", str(settings)], own / "log", ready))
        return nodes

    async def grant(self, secured: Secured) -> None:
        """As `Cluster.grant`."""
        rights = [(kind, right) for kind, granted in RIGHTS.items() for right in granted]
        entry = struct.Struct("!bb").pack
        wanted = b"".join(
            struct.pack("!b", kind) + _text(secured.prefix) + struct.pack("!b", _PREFIXED) + _text(f"User:{secured.user.name}")
            + _text("*") + entry(right, _ALLOW)
            for kind, right in rights
        )  # fmt: skip
        link = await _connected(self.addresses[0], secured)
        try:
            answered = await link.ask(_CREATE_ACLS, struct.pack("!i", len(rights)) + wanted)
        finally:
            link.close()
        if any(answered[8:]):  # of each an error and its text
            raise NotReady(f"kafka has not taken rights: {answered!r}")
        async with asyncio.timeout(PATIENCE):
            for address in self.addresses:
                while not await _knows_rights(address, secured):  # noqa: ASYNC110 - a broker tells nobody that it does
                    await asyncio.sleep(LOOK)


def _settings(number: int, listeners: dict[str, str], voters: list[str], data: Path) -> dict[str, object]:
    own = ",".join(f"{protocol}://{address}" for protocol, address in listeners.items())
    replicas = min(len(voters), REPLICAS)
    acknowledged = 2 if replicas == REPLICAS else 1
    return {
        "process.roles": "broker,controller",
        "node.id": number,
        "controller.quorum.voters": ",".join(f"{each}@{voter}" for each, voter in enumerate(voters, 1)),
        "listeners": f"{own},CONTROLLER://{voters[number - 1]}",
        "advertised.listeners": own,
        "inter.broker.listener.name": next(iter(listeners)),
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": ",".join(f"{each}:{each}" for each in listeners) + ",CONTROLLER:PLAINTEXT",
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": acknowledged,
        "offsets.topic.num.partitions": 8,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": acknowledged,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": acknowledged,
        "group.initial.rebalance.delay.ms": 0,
        "group.consumer.min.heartbeat.interval.ms": 500,
        "group.consumer.min.session.timeout.ms": 3000,
    }


def _security(secured: Secured | None) -> dict[str, object]:
    """What is added for, or said otherwise by, a secured broker."""
    if secured is None:
        return {}
    known = " ".join(f'user_{user.name}="{user.password}"' for user in secured.users)
    admin = f'username="{secured.admin.name}" password="{secured.admin.password}"'
    plain = f"{_MODULES}.plain.PlainLoginModule required {admin} {known};"
    scram = f"{_MODULES}.scram.ScramLoginModule required;"
    modules = {
        f"listener.name.{protocol}.{mechanism}.sasl.jaas.config": plain if mechanism == "plain" else scram
        for protocol in ("sasl_ssl", "sasl_plaintext", "controller")
        for mechanism in ("plain", *map(str.lower, _SCRAM))
    }
    protocols = ",".join(f"{each}:{each}" for each in SECURED)
    return {
        **modules,
        "listener.security.protocol.map": f"{protocols},CONTROLLER:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": ",".join(("PLAIN", *_SCRAM)),
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": secured.store,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": secured.ca,
        "listener.name.sasl_ssl.ssl.client.auth": "required" if secured.required else "requested",
        "listener.name.ssl.ssl.client.auth": "required",
        "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/,DEFAULT",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{secured.admin.name}",
    }


async def _format(run: list[str], cluster: str, settings: Path, secured: Secured | None) -> None:
    users = [
        word
        for user in (secured.users if secured else ())
        for mechanism in _SCRAM
        for word in ("--add-scram", f"{mechanism}=[name={user.name},password={user.password}]")
    ]
    tool = await asyncio.create_subprocess_exec(
        *run, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "--config", str(settings), *users,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await tool.communicate()
    if tool.returncode:
        raise NotReady(f"kafka's data can't be laid out: {said.decode(errors='replace')[-2000:]}")


async def _sees(address: str, count: int, secured: Secured | None) -> bool:
    """Whether the broker knows of `count` brokers."""
    link = await _connected(address, secured)
    try:
        answered = await link.ask(_METADATA, struct.pack("!i", 0))  # for no topic
        return bool(int.from_bytes(answered[:4], "big") >= count)
    finally:
        link.close()


async def _knows_rights(address: str, secured: Secured) -> bool:
    """Whether the broker knows of rights, to both topics and groups."""
    link = await _connected(address, secured)
    try:
        of_any = struct.pack("!bhbhhbb", _ANY, -1, _ANY, -1, -1, _ANY, _ANY)
        answered = await link.ask(_DESCRIBE_ACLS, of_any)
        return int.from_bytes(answered[8:12], "big") == len(RIGHTS)
    finally:
        link.close()


class _Link(NamedTuple):
    """A connection that one request after the other goes over."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, request: tuple[int, int], body: bytes) -> bytes:
        """The answer, without its header."""
        head = struct.pack("!hhih", *request, 1, -1)
        self.writer.write(struct.pack("!i", len(head) + len(body)) + head + body)
        size, _ = struct.unpack("!ii", await self.reader.readexactly(8))
        return await self.reader.readexactly(size - 4)

    def close(self) -> None:
        """Let go."""
        self.writer.close()


async def _connected(address: str, secured: Secured | None) -> _Link:
    """A connection to a broker; of its administrator, where the broker is a secured one. `EOFError` if it won't have it."""
    host, _, port = address.rpartition(":")
    link = _Link(*await asyncio.open_connection(host, int(port), ssl=secured.context() if secured else None))
    if secured is not None:
        shown = f"\0{secured.admin.name}\0{secured.admin.password}".encode()
        await link.ask(_HANDSHAKE, _text("PLAIN"))
        if (await link.ask(_AUTHENTICATE, struct.pack("!i", len(shown)) + shown))[:2] != bytes(2):
            link.close()
            raise EOFError
    return link


def _text(text: str) -> bytes:
    return struct.pack("!h", len(text)) + text.encode()

"""What an administrator does, on brokers and a node that ask who is there: try, set up, print what others have to run."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic
from dev.cassandra import Cassandra
from dev.jars import fetched, java
from dev.kafka import Kafka
from dev.secured import Secured, User

from esclusa.engines.cassandra import CassandraSettings
from esclusa.engines.cassandra.session import Session
from esclusa.engines.cassandra.settings import CassandraTlsSettings
from esclusa.engines.kafka import KafkaSettings
from esclusa.engines.kafka.kafka import KafkaEngine
from esclusa.engines.kafka.settings import SaslSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.settings import TlsSettings
from esclusa.ports.installation import Finding
from esclusa.ports.log import Topic
from support.keyspaces import SOCKETS
from support.program import Program

pytestmark = [pytest.mark.real, pytest.mark.timeout(180), SOCKETS]

COMPARED = ("cleanup.policy", "min.insync.replicas", "retention.ms", "segment.ms", "segment.bytes", "max.message.bytes")
QUERIES = (
    "SELECT durable_writes, replication FROM system_schema.keyspaces WHERE keyspace_name = '{keyspace}'",
    "SELECT durable_writes, replication FROM system_schema.keyspaces WHERE keyspace_name = '{keyspace}_keys'",
    "SELECT table_name, gc_grace_seconds, compaction FROM system_schema.tables WHERE keyspace_name = '{keyspace}'",
    "SELECT table_name, gc_grace_seconds, compaction FROM system_schema.tables WHERE keyspace_name = '{keyspace}_keys'",
    "SELECT table_name, memtable_flush_period_in_ms FROM system_schema.tables WHERE keyspace_name = '{keyspace}_keys'",
    "SELECT table_name, column_name, kind, position, type FROM system_schema.columns WHERE keyspace_name = '{keyspace}'",
    "SELECT table_name, column_name, kind, position, type FROM system_schema.columns WHERE keyspace_name = '{keyspace}_keys'",
    "SELECT name, value, writetime(value) FROM {keyspace}.esclusa",
)
TOOLS = {"kafka-topics.sh": "TopicCommand", "kafka-acls.sh": "AclCommand"}


class Servers(NamedTuple):
    """A broker and a node, and who may do what there."""

    kafka: Kafka
    cassandra: Cassandra
    secured: Secured


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """For all tests of this file."""
    folder = tmp_path_factory.mktemp("servers")
    secured = Secured(folder / "secured")
    kafka, cassandra = Kafka(folder, secured=secured), Cassandra(folder, secured=secured)
    with asyncio.Runner() as runner:
        runner.run(started(kafka, cassandra))
        try:
            yield Servers(kafka, cassandra, secured)
        finally:
            runner.run(stopped(kafka, cassandra))


async def started(*clusters: Kafka | Cassandra) -> None:
    await asyncio.gather(*[cluster.start() for cluster in clusters])


async def stopped(*clusters: Kafka | Cassandra) -> None:
    await asyncio.gather(*[cluster.stop() for cluster in clusters])


def engines(servers: Servers, user: User, prefix: str, **change: str) -> str:
    """What a configuration has to say of them, as `user`. `change`: the password or the authority, another one."""
    said = {"ca": str(servers.secured.ca), "password": user.password, "datacentre": "datacenter1", **change}
    return f"""log = "kafka"
records = "cassandra"
[kafka]
servers = {json.dumps(servers.kafka.addresses)}
prefix = "{prefix}."
tls = {{ ca = "{said["ca"]}" }}
sasl = {{ username = "{user.name}", password = "{said["password"]}" }}
replication = 1
[cassandra]
hosts = {json.dumps(servers.cassandra.addresses)}
keyspace = "{prefix}"
replication = 1
datacentre = "{said["datacentre"]}"
username = "{user.name}"
password = "{said["password"]}"
tls = {{ ca = "{said["ca"]}" }}
"""


def program(folder: Path, said: str) -> Program:
    """Of a configuration with one body, that is never asked."""
    return Program(folder, '[connectors.body]\nurl = "http://127.0.0.1:1/{subject}"', engines=said)


async def told(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code of a command on the configuration in `folder`, and what it says."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("esclusa")), *arguments,
        cwd=folder, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def parts(folder: Path) -> dict[str, dict[str, str]]:
    """What `esclusa check --connect` finds out, by part."""
    code, said = await told(folder, "check", "--connect", "--json")
    document = json.loads(said)
    assert document["ready"] == (code == 0)
    return {part["part"]: part for part in document["parts"]}


async def test_what_is_absent_is_made_once_by_who_may(servers: Servers, tmp_path: Path) -> None:
    program(tmp_path, engines(servers, servers.secured.user, "esclusa"))
    before = await parts(tmp_path)
    for absent in ("topic esclusa.requests.default", "keyspace esclusa"):
        assert before[absent]["what"] == "absent"
        assert "esclusa setup" in before[absent]["remedy"]
    code, made = await told(tmp_path, "setup")
    assert code == 0, made
    assert "  made   topic esclusa.answers.default\n" in made
    assert "  made   tables\n" in made
    assert "made" not in (await told(tmp_path, "setup"))[1]
    after = await parts(tmp_path)
    assert [part for part in after.values() if part["state"] == "wrong"] == []
    assert after["rights of esclusa"]["state"] == "sound"
    assert "DescribeConfigs" in after["topic esclusa.requests.default"]["remedy"]


async def test_who_has_no_rights_is_told_what_to_have_run(servers: Servers, tmp_path: Path) -> None:
    program(tmp_path, engines(servers, servers.secured.stranger, "nothing"))
    found = await parts(tmp_path)
    assert "may not look" in found["topic nothing.requests.default"]["what"]
    assert "may not join" in found["groups nothing.requests.default:*"]["what"]
    assert found["keyspace nothing"]["what"] == "absent"
    for engine in ("kafka", "cassandra"):
        code, said = await told(tmp_path, "setup", "--engine", engine)
        assert code == 1
        assert "esclusa setup --print" in said
    code, said = await told(tmp_path, "run")
    assert code == 1
    assert "esclusa setup --print" in said


async def test_what_is_printed_makes_the_same_and_is_enough_for_a_user_without_rights(servers: Servers, tmp_path: Path) -> None:
    secured = servers.secured
    run = program(tmp_path, engines(servers, secured.stranger, "printed"))
    await run_by_shell(tmp_path, (await told(tmp_path, "setup", "--print", "--engine", "kafka"))[1], secured)
    await run_as_cql(servers, (await told(tmp_path, "setup", "--print", "--engine", "cassandra"))[1])
    found = await parts(tmp_path)
    assert [part for part in found.values() if part["state"] == "wrong"] == []
    assert found["topic printed.requests.default"]["state"] == "sound"
    assert found["groups printed.requests.default:*"]["state"] == "sound"
    await run.start()
    try:
        answered = await told(tmp_path, "ask", "q", "--subject", "12345678Z")
        code, status = await told(tmp_path, "status", "--json")
    finally:
        await run.kill()
    assert answered[0] == 5
    assert "backend_error" in answered[1]
    assert code == 0
    assert json.loads(status)["health"] == {"status": "ready"}
    assert json.loads(status)["pools"][0]["name"] == "default"

    folder = tmp_path / "admin"
    folder.mkdir()
    program(folder, engines(servers, secured.admin, "made"))
    assert (await told(folder, "setup"))[0] == 0
    assert await described(servers, "printed.") == await described(servers, "made.")
    assert await tables(servers, "printed") == await tables(servers, "made")


async def run_by_shell(folder: Path, script: str, secured: Secured) -> None:
    """With Kafka's own tools, as the administrator."""
    jars = await fetched("kafka", Kafka.artifacts)
    for tool, name in TOOLS.items():
        (folder / tool).write_text(f'#!/bin/sh\nexec {java()} -cp "{jars}/*" org.apache.kafka.tools.{name} "$@"\n')
        (folder / tool).chmod(0o700)
    login = f'org.apache.kafka.common.security.plain.PlainLoginModule required username="{secured.admin.name}"'
    (folder / "admin.properties").write_text(
        "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n"
        f'sasl.jaas.config={login} password="{secured.admin.password}";\n'
        f"ssl.truststore.type=PEM\nssl.truststore.location={secured.ca}\n"
    )
    process = await asyncio.create_subprocess_exec(
        "sh", "-e", cwd=folder, env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate(script.encode())
    assert process.returncode == 0, said.decode()


async def run_as_cql(servers: Servers, script: str) -> None:
    """Statement by statement, as the administrator."""
    lines = [line for line in script.splitlines() if not line.startswith("--")]
    async with session(servers) as admin:
        for statement in "\n".join(lines).split(";\n"):
            if statement.strip():
                await admin.query(statement.removesuffix(";"), seconds=30)


@asynccontextmanager
async def session(servers: Servers, keyspace: str = "esclusa") -> AsyncIterator[Session]:
    """The administrator's."""
    admin, tls = servers.secured.admin, CassandraTlsSettings(ca=str(servers.secured.ca))
    settings = CassandraSettings(
        hosts=servers.cassandra.addresses,
        keyspace=keyspace,
        replication=1,
        username=admin.name,
        password=admin.password,
        tls=tls,
    )
    opened = Session(settings, Instrument())
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


async def described(servers: Servers, prefix: str) -> dict[str, Any]:
    """How many partitions each topic has, and how it is configured, by its name without `prefix`."""
    client = brokers(servers)
    metadata = client.list_topics(timeout=10).topics
    names = [name for name in metadata if name.startswith(prefix)]
    answers = client.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, name) for name in names])
    return {
        resource.name.removeprefix(prefix): (
            len(metadata[resource.name].partitions),
            {key: answer.result()[key].value for key in COMPARED},
        )
        for resource, answer in answers.items()
    }


async def tables(servers: Servers, keyspace: str) -> list[Any]:
    """Of both keyspaces, what is said of each table and column."""
    async with session(servers, keyspace) as admin:
        return [await admin.query(query) for query in QUERIES]


def brokers(servers: Servers) -> AdminClient:
    """An administrator's client."""
    admin = servers.secured.admin
    return AdminClient({
        "bootstrap.servers": ",".join(servers.kafka.addresses), "security.protocol": "SASL_SSL",
        "ssl.ca.location": str(servers.secured.ca), "sasl.mechanism": "PLAIN", "sasl.username": admin.name,
        "sasl.password": admin.password,
    })  # fmt: skip


async def test_who_is_not_let_in_is_told_why(servers: Servers, tmp_path: Path) -> None:
    other = Secured(tmp_path / "other")
    for change, kafka, cassandra in (
        ({"password": "wrong"}, "refuses the login", "the login is refused"),
        ({"ca": str(other.ca)}, "a certificate that can't be trusted", "an authority that is not trusted"),
        ({"datacentre": "madrid"}, "", "there is no datacentre madrid, but datacenter1"),
    ):
        folder = tmp_path / next(iter(change))
        folder.mkdir()
        program(folder, engines(servers, servers.secured.user, "esclusa", **change))
        found = await parts(folder)
        assert kafka in found["brokers"]["what"]
        assert cassandra in found["nodes"]["what"]
        assert found["nodes"]["state"] == "wrong"
        assert found["nodes"]["remedy"]


async def test_where_nobody_is_it_is_told_at_once(tmp_path: Path) -> None:
    said = '[kafka]\nservers = ["127.0.0.1:1"]\n[cassandra]\nhosts = ["127.0.0.1:1"]\n'
    program(tmp_path, f'log = "kafka"\nrecords = "cassandra"\n{said}')
    found = await parts(tmp_path)
    assert found["brokers"]["what"] == "127.0.0.1:1 is not there"
    assert found["nodes"]["what"] == "nobody listens there"
    code, said = await told(tmp_path, "setup")
    assert code == 1
    assert "esclusa check --connect" in said


async def inspected(servers: Servers, topics: Sequence[Topic]) -> dict[str, Finding]:
    """What the engine finds out of the brokers as the administrator, by part."""
    admin = servers.secured.admin
    settings = KafkaSettings(
        servers=servers.kafka.addresses,
        prefix="odd.",
        tls=TlsSettings(ca=str(servers.secured.ca)),
        sasl=SaslSettings(username=admin.name, password=admin.password, mechanism="PLAIN"),
    )
    engine = KafkaEngine(settings, Clock(), Instrument())
    return {finding.part: finding for finding in await engine.installation.inspect(topics)}


@pytest.mark.parametrize(
    ("partitions", "setting", "what"),
    [
        (3, {}, "3 partitions, but the configuration says 2"),
        (1, {}, "1 partition, but the configuration says 2"),
        (2, {"max.message.bytes": "1000000"}, "max.message.bytes is 1000000: less than the largest message"),
        (2, {"retention.ms": "1000"}, "retention.ms is 1000: messages go before"),
        (2, {"retention.bytes": "1000000"}, "retention.bytes is 1000000"),
        (2, {"cleanup.policy": "compact"}, "cleanup.policy is compact"),
        (2, {"message.timestamp.type": "LogAppendTime"}, "message.timestamp.type"),
    ],
)
async def test_a_topic_that_is_otherwise_is_told_with_the_remedy(
    servers: Servers, partitions: int, setting: dict[str, str], what: str
) -> None:
    topic = Topic(f"topic-{partitions}-{'-'.join(setting)}", partitions=2)
    good = {"max.message.bytes": "20000000", "retention.ms": str(int(topic.keep * 1000))}
    made = NewTopic(f"odd.{topic.name}", partitions, 1, config=good | setting)
    client = brokers(servers)
    client.create_topics([made])[made.topic].result(10)
    finding = (await inspected(servers, [topic]))[f"topic odd.{topic.name}"]
    assert finding.state == "wrong"
    assert what in finding.what
    assert ";" not in finding.what
    assert finding.remedy

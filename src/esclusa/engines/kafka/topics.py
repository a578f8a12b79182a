"""Topics, and rights to them, as they are to be at the brokers: for who makes them, who checks them and who prints them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence

from esclusa.engines.kafka.client import MESSAGE_BYTES
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.ports.log import Topic

REPLICAS = 3
"""Copies of a partition, unless the settings say otherwise: two of them can be written while the third is away."""
BROADCAST = 60.0
"""Seconds that messages of a broadcast topic are kept, for listeners that are a little behind."""
SEGMENT = 60.0
"""Seconds, at least, between two segments of a partition: a segment is what brokers delete."""
SEGMENTS = 4
"""In which what is kept is cut, so that what is expired goes soon after."""
SEGMENT_BYTES = 64 << 20
LARGEST = MESSAGE_BYTES + (1 << 20)
"""Bytes of a message with all that stands around it."""
ON_TOPICS = ("Read", "Write", "Delete", "Describe", "DescribeConfigs")
"""What a program does with topics that are there. Delete: messages, by the role `purge`."""
ON_GROUPS = ("Read", "Describe", "AlterConfigs")
"""What it does with its groups. AlterConfigs: how soon brokers see that a member is dead."""


def replicas_of(brokers: int, replication: int | None) -> int:
    """How many copies there are to be of each partition, where there are so many brokers."""
    return min(REPLICAS, brokers) if replication is None else replication


def acknowledged_by(replicas: int) -> int:
    """How many of the copies have to have a message before it is acknowledged."""
    return 2 if replicas >= REPLICAS else 1


def configuration(topic: Topic, replicas: int) -> Mapping[str, str]:
    """What is said of a topic when it is made, in the brokers' words."""
    keep = BROADCAST if topic.broadcast else topic.keep
    return {
        "cleanup.policy": "delete",
        "min.insync.replicas": str(acknowledged_by(replicas)),
        "retention.ms": str(int(keep * 1000)),
        "segment.ms": str(int(max(SEGMENT, keep / SEGMENTS) * 1000)),
        "segment.bytes": str(SEGMENT_BYTES),
        "max.message.bytes": str(LARGEST),
        "message.timestamp.type": "CreateTime",
    }


def script(topics: Mapping[str, Topic], settings: KafkaSettings) -> str:
    """The command lines that make `topics`, by their names at the brokers, and give this program's user its rights."""
    replicas = replicas_of(REPLICAS, settings.replication)
    lines = [
        "# Apache Kafka: topics. To be run by somebody who may make them, with Kafka's own tools;",
        "# admin.properties says how to log in. Leave --command-config out where brokers ask for nothing.",
    ]
    for name, topic in topics.items():
        said = [f"--config={key}={value}" for key, value in configuration(topic, replicas).items()]
        size = ["--partitions", str(topic.partitions), "--replication-factor", str(replicas)]
        create = ["--create", "--if-not-exists", "--topic", name]
        lines += _command("topics", settings, create, size, *(said[place : place + 2] for place in range(0, len(said), 2)))
    user = _user(settings)
    if user is None:
        return "\n".join(lines) + "\n"
    lines += ["", f"# Rights of {user}, for brokers that ask for any."]
    grant = ["--add", f"--allow-principal={user}"]
    lines += _command("acls", settings, grant, _each("operation", ON_TOPICS), _each("topic", topics))
    groups = [group_prefix(name) for name, topic in topics.items() if not topic.broadcast]
    prefixed = ["--resource-pattern-type", "prefixed"]
    lines += _command("acls", settings, [*grant, *prefixed], _each("operation", ON_GROUPS), _each("group", groups))
    return "\n".join(lines) + "\n"


def alteration(name: str, setting: str, settings: KafkaSettings) -> str:
    """The command line that gives the topic `name`, as it is called at the brokers, another `setting` (`key=value`)."""
    return shlex.join([*_tool("configs", settings), "--alter", "--topic", name, "--add-config", setting])


def group_prefix(name: str) -> str:
    """With what the names of all groups of the topic `name` begin, at the brokers."""
    return f"{name}:"


def _user(settings: KafkaSettings) -> str | None:
    """Who this program is for the brokers; None: nobody."""
    if settings.sasl is not None:
        return f"User:{settings.sasl.username}"
    if settings.tls is not None and settings.tls.certificate is not None:
        return "User:CN=NAME_ON_THE_CERTIFICATE"
    return None


def _each(option: str, values: Iterable[str]) -> list[str]:
    return [f"--{option}={value}" for value in values]


def _command(tool: str, settings: KafkaSettings, *arguments: Sequence[str]) -> list[str]:
    """One command of Kafka's, a line for each of `arguments`."""
    rows = [shlex.join(row) for row in (_tool(tool, settings), *arguments)]
    return [f"{row} \\" for row in (rows[0], *(f"  {row}" for row in rows[1:-1]))] + [f"  {rows[-1]}"]


def _tool(name: str, settings: KafkaSettings) -> list[str]:
    """One of Kafka's tools, and with whom it speaks."""
    return [f"kafka-{name}.sh", "--bootstrap-server", ",".join(settings.servers), "--command-config", "admin.properties"]

"""The brokers as they are found: each topic, its settings and this program's rights to it, beside what they have to be."""

# The vendor documents these names where they are imported from, and does not mark them as exported.
# pyright: reportPrivateImportUsage=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from confluent_kafka import KafkaError
from confluent_kafka.admin import AclOperation

from esclusa.engines.kafka import topics as wanted
from esclusa.engines.kafka.admin import Admin
from esclusa.engines.kafka.client import FORBIDDEN, PATIENCE, Voice
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.engines.kafka.topics import acknowledged_by, alteration, configuration, group_prefix, replicas_of
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable
from esclusa.ports.installation import Finding, State
from esclusa.ports.log import Topic

SETUP = 'run "esclusa setup", or have somebody who may make topics run what "esclusa setup --print" says'
RIGHTS = "have the brokers' administrator give this program's user its rights: \"esclusa setup --print\" has the commands"
AUTO = "auto.create.topics.enable"
WHOLE = "have 3 brokers, and kafka.replication = 3"
COMPARED = ("max.message.bytes", "retention.ms", "retention.bytes", "cleanup.policy", "message.timestamp.type")


UNSETTLED = frozenset((
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
))  # fmt: skip
"""What brokers say of a group whose broker is not found yet."""
LOOK = 0.2
"""Seconds between two looks at such a one."""


class KafkaInstallation:
    """`esclusa.ports.installation.Installation` on Kafka's brokers."""

    def __init__(self, settings: KafkaSettings, admin: Admin, voice: Voice, clock: Clock) -> None:
        self._settings = settings
        self._admin = admin
        self._voice = voice
        self._clock = clock

    def script(self, topics: Sequence[Topic]) -> str:
        """The command lines that make `topics` and give this program's user its rights."""
        return wanted.script(self._named(topics), self._settings)

    async def inspect(self, topics: Sequence[Topic]) -> list[Finding]:
        """The brokers, then every topic of `topics`, then the rights to groups."""
        admin, named = self._admin, self._named(topics)
        try:
            numbers = list((await admin.metadata()).brokers)
            brokers, own = len(numbers), await admin.broker(numbers[0]) if numbers else None
            described = await admin.described(named)
            configured = await admin.configured([name for name in named if not isinstance(described[name], int | None)])
            groups = {group_prefix(name): name for name, topic in named.items() if not topic.broadcast}
            grouped = await self._grouped(list(groups))
        except StorageUnavailable as error:
            return [unreachable(self._voice.reason, str(error))]
        found = [self._brokers(brokers, own)]
        for name, topic in named.items():
            found.append(self._topic(name, topic, brokers, described[name], configured.get(name)))
        return [*found, *(_group(prefix, grouped[prefix]) for prefix in groups)]

    async def _grouped(self, groups: Sequence[str]) -> dict[str, Any]:
        """Rights to `groups`; brokers that nobody has used yet need a moment before they know where groups are."""
        until = self._clock.now() + PATIENCE
        grouped = await self._admin.grouped(groups)
        while (
            not UNSETTLED.isdisjoint(each for each in grouped.values() if isinstance(each, int)) and self._clock.now() < until
        ):
            await self._clock.sleep(LOOK)
            grouped = await self._admin.grouped(groups)
        return grouped

    def _named(self, topics: Sequence[Topic]) -> dict[str, Topic]:
        return {f"{self._settings.prefix}{topic.name}": topic for topic in topics}

    def _brokers(self, count: int, own: Any) -> Finding:
        """`own`: how one of them is configured, where this program's user may know that."""
        replicas = replicas_of(count, self._settings.replication)
        found = f"{count} found by {', '.join(self._settings.servers)}"
        if replicas > count or not count:
            what = f"{found}: too few for kafka.replication, which is {replicas}"
            return Finding("brokers", "wrong", what, "add brokers, or set it lower")
        faults = []
        if replicas == 1:
            faults.append(("one copy of each message, which is away, or lost, with its broker", WHOLE))
        elif replicas < wanted.REPLICAS:
            faults.append(("two copies of each message: one broker away means a stop or a loss", WHOLE))
        if isinstance(own, dict) and AUTO in own and own[AUTO].value == "true":
            what = "a topic that is deleted comes back by itself, with other partitions"
            faults.append((what, f"set {AUTO}=false in the brokers' server.properties"))
        if faults:
            return Finding(
                "brokers", "doubtful", "; ".join([found, *(what for what, _ in faults)]), "; ".join(dict(faults).values())
            )
        return Finding("brokers", "sound", found)

    def _topic(self, name: str, topic: Topic, brokers: int, described: Any, configured: Any) -> Finding:
        """The worst that there is to say about it, and all of what has to be mended."""
        part = f"topic {name}"
        if isinstance(described, int | None):
            return _unseen(part, described, "look at it, if it is there")
        settings = {key: entry.value for key, entry in configured.items()} if isinstance(configured, dict) else {}
        replicas = replicas_of(brokers, self._settings.replication)
        alter = partial(alteration, name, settings=self._settings)
        faults = [
            *_partitions(topic, described),
            *_copies(described, settings, replicas, alter),
            *_settings(configuration(topic, replicas), settings, alter),
            *_rights(topic, described.authorized_operations),
        ]
        if not settings:
            faults.append(("doubtful", "its settings can't be looked at", f"{RIGHTS} (DescribeConfigs)"))
        if not faults:
            copies = len(described.partitions[0].replicas)
            return Finding(
                part, "sound", f"{_count(topic.partitions, 'partition')}, {_count(copies, 'copy', 'copies')} of each"
            )
        state: State = "wrong" if any(state == "wrong" for state, _, _ in faults) else "doubtful"
        remedies = dict.fromkeys(remedy for _, _, remedy in faults)
        return Finding(part, state, "; ".join(what for _, what, _ in faults), "; ".join(remedies))


Fault = tuple[State, str, str]
"""`wrong` or `doubtful`, what, and the remedy."""
Alter = Callable[[str], str]
"""The command line that gives a topic another setting."""


def _partitions(topic: Topic, described: Any) -> Iterator[Fault]:
    count = len(described.partitions)
    if count != topic.partitions:
        what = f"{_count(count, 'partition')}, but the configuration says {topic.partitions}"
        if count < topic.partitions:
            remedy = f'while it is empty "esclusa setup" adds them; or set partitions of its pool to {count}'
        else:
            remedy = f"none can be taken away: set partitions of its pool to {count}, or delete the topic and set up again"
        yield "wrong", what, remedy
    leaderless = [str(each.id) for each in described.partitions if each.leader is None or each.leader.id < 0]
    if leaderless:
        yield "wrong", f"no leader for partition {', '.join(leaderless)}", "start the brokers that are down"


def _copies(described: Any, settings: Mapping[str, str], replicas: int, alter: Alter) -> Iterator[Fault]:
    copies = min(len(each.replicas) for each in described.partitions)
    least = int(settings.get("min.insync.replicas", acknowledged_by(copies)))
    if copies < replicas:
        remedy = "add copies with kafka-reassign-partitions.sh, or set kafka.replication to what is there"
        yield "wrong", f"{_count(copies, 'copy', 'copies')} of a partition instead of {replicas}", remedy
    if copies > 1 and least >= copies:
        what = f"min.insync.replicas is {least} of {copies}: nothing is accepted while one broker is away"
        yield "wrong", what, alter(f"min.insync.replicas={acknowledged_by(copies)}")
    elif copies >= wanted.REPLICAS and least < acknowledged_by(copies):
        what = f"min.insync.replicas is {least}: what was accepted is lost with one broker"
        yield "wrong", what, alter(f"min.insync.replicas={acknowledged_by(copies)}")
    behind = [str(each.id) for each in described.partitions if len(each.isr) < least]
    if behind:
        yield "wrong", f"too few copies in sync of partition {', '.join(behind)}", "start the brokers that are down"


def _settings(expected: Mapping[str, str], settings: Mapping[str, str], alter: Alter) -> Iterator[Fault]:
    """What differs from `expected` in a way that matters. More room and a longer retention don't."""
    found = {key: settings[key] for key in COMPARED if key in settings}
    least = {key: int(expected[key]) for key in ("max.message.bytes", "retention.ms")}
    why = {
        "max.message.bytes": "less than the largest message of answers",
        "retention.ms": "messages go before what they belong to has expired",
    }
    for key, needed in least.items():
        if key in found and 0 <= int(found[key]) < needed:
            yield "wrong", f"{key} is {found[key]}: {why[key]}", alter(f"{key}={needed}")
    if found.get("cleanup.policy", "delete") != "delete":
        yield (
            "wrong",
            f"cleanup.policy is {found['cleanup.policy']}: messages that are needed go",
            alter("cleanup.policy=delete"),
        )
    if int(found.get("retention.bytes", -1)) >= 0:
        what = f"retention.bytes is {found['retention.bytes']}: messages go when there are many"
        yield "wrong", what, alter("retention.bytes=-1")
    if found.get("message.timestamp.type", "CreateTime") != "CreateTime":
        yield (
            "wrong",
            "message.timestamp.type: brokers put their own time on messages",
            alter("message.timestamp.type=CreateTime"),
        )


def _rights(topic: Topic, operations: Sequence[AclOperation] | None) -> Iterator[Fault]:
    """What this program's user may not do with a topic. Nothing is known of brokers that are not asked for rights."""
    if operations is None:
        return
    for operation in ("READ", "WRITE"):
        if AclOperation[operation] not in operations:
            yield "wrong", f"this program's user has no right to {operation.lower()} it", RIGHTS
    if not topic.broadcast and AclOperation.DELETE not in operations:
        yield "doubtful", "no right to delete messages that have expired: the role purge complains", RIGHTS


def _group(prefix: str, described: Any) -> Finding:
    part = f"groups {prefix}*"
    if isinstance(described, int | None):
        return _unseen(part, described, "join them")
    operations = described.authorized_operations
    if operations is not None and AclOperation.READ not in operations:
        return Finding(part, "wrong", "this program's user may not join them", RIGHTS)
    if operations is not None and AclOperation.ALTER_CONFIGS not in operations:
        what = "no right to say how soon a dead member is replaced: groups are of the older protocol"
        return Finding(part, "doubtful", what, f"{RIGHTS} (AlterConfigs)")
    return Finding(part, "sound", "may be joined")


def unreachable(reason: str | None, said: str) -> Finding:
    """Why nobody can be spoken to. `reason`: what `Voice` has heard, the remedy after a colon; `said`: with what was given up."""
    what, _, remedy = (reason or said).partition(": ")
    if reason is None:
        what, remedy = said, "look at kafka.servers, and at what stands between"
    return Finding("brokers", "wrong", what, remedy)


def _unseen(part: str, code: int | None, what: str) -> Finding:
    """Something that can't be looked at. `what`: what may not be done, if that is the reason."""
    if code == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return Finding(part, "wrong", "absent", SETUP)
    if code in FORBIDDEN:
        return Finding(part, "wrong", f"this program's user may not {what}", RIGHTS)
    return Finding(part, "wrong", f"can't be looked at ({_name(code)})", "look at the brokers, and try again")


def _name(code: int | None) -> str:
    return "no answer" if code is None else KafkaError(code).name().lstrip("_")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"

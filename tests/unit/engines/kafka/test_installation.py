"""What is said of brokers and topics as they are found: what matters, all of it, each with its remedy."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError
from confluent_kafka.admin import AclOperation

from esclusa.engines.kafka.admin import Admin
from esclusa.engines.kafka.client import Voice
from esclusa.engines.kafka.installation import LOOK, KafkaInstallation
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.engines.kafka.topics import LARGEST, alteration, configuration
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable
from esclusa.ports.installation import Finding
from esclusa.ports.log import Topic
from esclusa.testing.virtual import EPOCH

pytestmark = pytest.mark.virtual_time

TOPIC = Topic("requests.default", partitions=2)
EVERYTHING = list(AclOperation)


class Brokers:
    """The administrative client, of brokers that are as they are told to be; at first nothing is wrong with them."""

    def __init__(self, count: int = 3) -> None:
        self.count = count
        self.error: StorageUnavailable | None = None
        self.copies = [list(range(min(3, count)))] * 2
        self.in_sync = [list(range(min(3, count)))] * 2
        self.leaders: list[int | None] = [0, 0]
        self.rights: list[AclOperation] | None = EVERYTHING
        self.group_rights: list[AclOperation] | None = EVERYTHING
        self.configured: dict[str, str] | int = dict(configuration(TOPIC, min(3, count)))
        self.automatic: str | None = "false"
        """Whether they make topics by themselves; None: nobody may know."""
        self.topic: int | None = None
        self.groups: list[int] = []
        """With which errors it is answered first when groups are asked for."""

    async def metadata(self) -> Any:
        if self.error is not None:
            raise self.error
        return SimpleNamespace(brokers=dict.fromkeys(range(self.count)))

    async def broker(self, _: int) -> Any:
        if self.automatic is None:
            return KafkaError.CLUSTER_AUTHORIZATION_FAILED
        return {"auto.create.topics.enable": SimpleNamespace(value=self.automatic)}

    async def described(self, topics: Collection[str]) -> dict[str, Any]:
        partitions = [
            SimpleNamespace(
                id=number, leader=None if leader is None else SimpleNamespace(id=leader), replicas=copies, isr=in_sync
            )
            for number, (leader, copies, in_sync) in enumerate(zip(self.leaders, self.copies, self.in_sync, strict=True))
        ]
        said = SimpleNamespace(partitions=partitions, authorized_operations=self.rights)
        return dict.fromkeys(topics, said if self.topic is None else self.topic)

    async def configs(self, topics: Collection[str]) -> dict[str, Any]:
        if isinstance(self.configured, int):
            return dict.fromkeys(topics, self.configured)
        said = {key: SimpleNamespace(value=value) for key, value in self.configured.items()}
        return dict.fromkeys(topics, said)

    async def grouped(self, groups: Collection[str]) -> dict[str, Any]:
        if self.groups:
            return dict.fromkeys(groups, self.groups.pop(0))
        return dict.fromkeys(groups, SimpleNamespace(authorized_operations=self.group_rights))

    def set(self, **settings: str) -> None:
        assert isinstance(self.configured, dict)
        self.configured |= {name.replace("_", "."): value for name, value in settings.items()}


async def found(
    brokers: Brokers, topics: Sequence[Topic] = (TOPIC,), *, reason: str | None = None, **settings: Any
) -> list[Finding]:
    admin = SimpleNamespace(
        metadata=brokers.metadata,
        broker=brokers.broker,
        described=brokers.described,
        configured=brokers.configs,
        grouped=brokers.grouped,
    )
    installation = KafkaInstallation(
        KafkaSettings(**settings), cast("Admin", admin), cast("Voice", SimpleNamespace(reason=reason)), Clock(epoch=EPOCH)
    )
    return await installation.inspect(topics)


async def of_topic(brokers: Brokers, **settings: Any) -> Finding:
    return (await found(brokers, **settings))[1]


async def test_what_is_as_it_has_to_be_is_sound() -> None:
    findings = await found(Brokers())
    assert [finding.part for finding in findings] == ["brokers", "topic requests.default", "groups requests.default:*"]
    assert {finding.state for finding in findings} == {"sound"}
    assert {finding.remedy for finding in findings} == {""}


async def test_a_broadcast_topic_has_no_groups() -> None:
    brokers = Brokers()
    brokers.leaders, brokers.copies, brokers.in_sync = [0], [[0, 1, 2]], [[0, 1, 2]]
    findings = await found(brokers, [Topic("wakeups", broadcast=True)])
    assert [finding.part for finding in findings] == ["brokers", "topic wakeups"]


async def test_who_can_not_be_reached_is_told_with_the_reason() -> None:
    brokers = Brokers()
    brokers.error = StorageUnavailable("kafka: TRANSPORT: nobody answers")
    assert await found(brokers, reason="one:1 refuses the login: look at kafka.sasl") == [
        Finding("brokers", "wrong", "one:1 refuses the login", "look at kafka.sasl")
    ]
    (finding,) = await found(brokers)
    assert (finding.what, finding.state) == ("kafka: TRANSPORT: nobody answers", "wrong")
    assert "kafka.servers" in finding.remedy


@pytest.mark.parametrize(
    ("count", "settings", "state", "words"),
    [
        (1, {}, "doubtful", "one copy"),
        (2, {}, "doubtful", "two copies"),
        (3, {}, "sound", "3 found"),
        (3, {"replication": 1}, "doubtful", "one copy"),
        (1, {"replication": 3}, "wrong", "too few"),
    ],
)
async def test_too_few_copies_are_told_once(count: int, settings: dict[str, Any], state: str, words: str) -> None:
    finding = (await found(Brokers(count), **settings))[0]
    assert finding.state == state
    assert words in finding.what


@pytest.mark.parametrize(("automatic", "state"), [("true", "doubtful"), ("false", "sound"), (None, "sound")])
async def test_brokers_that_make_topics_by_themselves_are_a_doubt(automatic: str | None, state: str) -> None:
    brokers = Brokers()
    brokers.automatic = automatic
    finding = (await found(brokers))[0]
    assert finding.state == state
    assert ("auto.create.topics.enable" in finding.remedy) == (state == "doubtful")


@pytest.mark.parametrize(
    ("copies", "least", "words"),
    [
        (3, "1", "what was accepted is lost with one broker"),
        (3, "3", "nothing is accepted while one broker is away"),
        (1, "1", "1 copy of a partition instead of 3"),
        (2, "1", "2 copies of a partition instead of 3"),
        (2, "2", "2 copies of a partition instead of 3"),
    ],
)
async def test_copies_that_do_not_fit_are_wrong(copies: int, least: str, words: str) -> None:
    brokers = Brokers()
    brokers.copies = brokers.in_sync = [list(range(copies))] * 2
    brokers.set(min_insync_replicas=least)
    finding = await of_topic(brokers)
    assert finding.state == "wrong"
    assert words in finding.what
    assert finding.remedy


async def test_more_copies_than_asked_for_are_fine() -> None:
    brokers = Brokers(5)
    brokers.copies = brokers.in_sync = [list(range(5))] * 2
    brokers.set(min_insync_replicas="3")
    assert (await of_topic(brokers)).state == "sound"


async def test_a_topic_that_can_not_be_written_now_is_told() -> None:
    brokers = Brokers()
    brokers.leaders = [0, None]
    brokers.in_sync = [[0], [0, 1, 2]]
    finding = await of_topic(brokers)
    assert finding.state == "wrong"
    assert "no leader for partition 1" in finding.what
    assert "too few copies in sync of partition 0" in finding.what


async def test_all_that_is_wrong_with_a_topic_is_told_at_once() -> None:
    brokers = Brokers()
    brokers.set(max_message_bytes="1048588", retention_ms="1000", cleanup_policy="compact", retention_bytes="5")
    brokers.set(message_timestamp_type="LogAppendTime")
    finding = await of_topic(brokers)
    for words in ("max.message.bytes", "retention.ms", "cleanup.policy", "retention.bytes", "message.timestamp.type"):
        assert words in finding.what
    settings = KafkaSettings()
    assert alteration("requests.default", f"max.message.bytes={LARGEST}", settings) in finding.remedy.split("; ")
    assert "--add-config retention.ms=3600000" in finding.remedy


async def test_more_room_and_a_longer_retention_are_fine() -> None:
    brokers = Brokers()
    brokers.set(max_message_bytes="99999999", retention_ms="-1")
    assert (await of_topic(brokers)).state == "sound"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KafkaError.UNKNOWN_TOPIC_OR_PART, "absent"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, "may not look at it"),
        (KafkaError.REQUEST_TIMED_OUT, "REQUEST_TIMED_OUT"),
    ],
)
async def test_a_topic_that_can_not_be_looked_at_is_wrong(error: int, words: str) -> None:
    brokers = Brokers()
    brokers.topic = error
    finding = await of_topic(brokers)
    assert finding.state == "wrong"
    assert words in finding.what


async def test_rights_that_are_lacking_are_told() -> None:
    brokers = Brokers()
    brokers.rights = [AclOperation.READ, AclOperation.DESCRIBE]
    finding = await of_topic(brokers)
    assert finding.state == "wrong"
    assert "no right to write it" in finding.what
    assert "no right to delete messages" in finding.what
    assert "esclusa setup --print" in finding.remedy


async def test_settings_that_may_not_be_read_are_a_doubt() -> None:
    brokers = Brokers()
    brokers.configured = KafkaError.TOPIC_AUTHORIZATION_FAILED
    finding = await of_topic(brokers)
    assert finding.state == "doubtful"
    assert "DescribeConfigs" in finding.remedy


@pytest.mark.parametrize(
    ("rights", "state"),
    [
        (None, "sound"),
        ([AclOperation.READ, AclOperation.DESCRIBE, AclOperation.ALTER_CONFIGS], "sound"),
        ([AclOperation.READ, AclOperation.DESCRIBE], "doubtful"),
        ([AclOperation.DESCRIBE], "wrong"),
    ],
)
async def test_rights_to_groups(rights: list[AclOperation] | None, state: str) -> None:
    brokers = Brokers()
    brokers.group_rights = rights
    assert (await found(brokers))[2].state == state


async def test_brokers_that_have_not_found_their_groups_yet_are_given_a_moment() -> None:
    brokers = Brokers()
    brokers.groups = [KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.NOT_COORDINATOR]
    assert (await found(brokers))[2].state == "sound"
    brokers.groups = [KafkaError.NOT_COORDINATOR] * round(10 / LOOK)
    assert (await found(brokers))[2].state == "wrong"

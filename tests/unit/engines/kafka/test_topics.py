"""Topics as they are to be: what is made, and what is printed for who makes them."""

from __future__ import annotations

import shlex

import pytest

from esclusa.engines.kafka.settings import KafkaSettings, SaslSettings
from esclusa.engines.kafka.topics import acknowledged_by, alteration, configuration, replicas_of, script
from esclusa.engines.kafka.upkeep import new_topic
from esclusa.kernel.settings import TlsSettings
from esclusa.ports.log import Topic

TOPIC = Topic("requests.default", partitions=8, keep=600.0)
WAKEUPS = Topic("wakeups", broadcast=True)
SASL = SaslSettings(username="it is us", password="a secret")


@pytest.mark.parametrize(
    ("brokers", "replication", "copies", "acknowledged"), [(1, None, 1, 1), (2, None, 2, 1), (5, None, 3, 2), (5, 5, 5, 2)]
)
def test_how_many_copies_there_are_and_have_to_be(
    brokers: int, replication: int | None, copies: int, acknowledged: int
) -> None:
    assert replicas_of(brokers, replication) == copies
    assert acknowledged_by(copies) == acknowledged


def test_what_is_kept_goes_in_segments() -> None:
    kept, heard = configuration(TOPIC, 3), configuration(WAKEUPS, 3)
    assert (kept["retention.ms"], kept["segment.ms"]) == ("600000", "150000")
    assert (heard["retention.ms"], heard["segment.ms"]) == ("60000", "60000")


def commands(settings: KafkaSettings) -> list[list[str]]:
    """What is printed, word by word."""
    said = script({TOPIC.name: TOPIC, WAKEUPS.name: WAKEUPS}, settings).replace("\\\n", "")
    return [words for line in said.splitlines() if (words := shlex.split(line, comments=True))]


def test_what_is_printed_makes_what_is_made() -> None:
    printed = commands(KafkaSettings())[0]
    made = new_topic(TOPIC.name, TOPIC, 3)
    said = dict(word.removeprefix("--config=").split("=") for word in printed if word.startswith("--config="))
    assert said == made.config
    assert printed[printed.index("--partitions") + 1] == str(made.num_partitions)
    assert printed[printed.index("--replication-factor") + 1] == str(made.replication_factor)


def test_a_user_gets_its_rights_and_nobody_none() -> None:
    assert [words[0] for words in commands(KafkaSettings())] == ["kafka-topics.sh"] * 2
    topics, groups = commands(KafkaSettings(sasl=SASL))[2:]
    assert "--allow-principal=User:it is us" in topics
    assert [word for word in topics if word.startswith("--topic=")] == ["--topic=requests.default", "--topic=wakeups"]
    assert [word for word in groups if word.startswith("--group=")] == ["--group=requests.default:"]
    assert "a secret" not in str(commands(KafkaSettings(sasl=SASL)))
    certified = KafkaSettings(tls=TlsSettings(certificate="a.pem", key="a.key"))
    assert "--allow-principal=User:CN=NAME_ON_THE_CERTIFICATE" in commands(certified)[2]


def test_a_topic_is_altered_at_the_same_brokers_by_the_same_user_as_it_is_made() -> None:
    settings = KafkaSettings(servers=["a:1", "b:2"])
    words = shlex.split(alteration("acme.requests.default", "retention.ms=1", settings))
    assert words == ["kafka-configs.sh", *commands(settings)[0][1:5], *words[5:]]
    assert words[5:] == ["--alter", "--topic", "acme.requests.default", "--add-config", "retention.ms=1"]

"""Topics: what can be declared anew, and what not."""

from __future__ import annotations

import pytest

from esclusa.engines.inprocess.partition import Partition
from esclusa.engines.inprocess.topics import Topics
from esclusa.kernel.errors import StorageError, StorageUnavailable
from esclusa.kernel.message import Message
from esclusa.ports.log import Topic


def partitions(count: int) -> list[Partition]:
    return [Partition(number, number) for number in range(count)]


def test_what_is_missing_is_what_was_not_declared_before() -> None:
    topics = Topics()
    assert topics.missing(Topic("a", partitions=3)) == 3
    topics.declare(Topic("a", partitions=3), partitions(3))
    assert topics.missing(Topic("a", partitions=3)) == 0
    assert topics.missing(Topic("a", partitions=5)) == 2


def test_a_topic_with_fewer_partitions_is_refused_by_name_with_the_remedy() -> None:
    topics = Topics()
    topics.declare(Topic("a", partitions=3), partitions(3))
    with pytest.raises(
        StorageError, match=r"'a' has 3 partitions.*`\[pools.NAME\] partitions` back to 3, or start with an empty data folder"
    ):
        topics.missing(Topic("a", partitions=2))


def test_more_partitions_are_refused_in_words_while_there_are_messages() -> None:
    topics = Topics()
    kept = topics.declare(Topic("a", partitions=3, keep=60.0), partitions(3))
    kept.partitions[1].grow([Message(0, 1000, b"key", b"value")])
    words = r"'a' has 3 partitions and holds messages, .* 8 now: .*`\[pools.NAME\] partitions` back to 3 .*60 s .* empty data"
    with pytest.raises(StorageError, match=words):
        topics.missing(Topic("a", partitions=8))
    assert topics.missing(Topic("a", partitions=3)) == 0
    kept.partitions[1].drop(1)
    assert topics.missing(Topic("a", partitions=8)) == 5


def test_a_topic_that_holds_messages_does_not_become_a_broadcast_one() -> None:
    topics = Topics()
    topics.declare(Topic("a"), partitions(1))
    with pytest.raises(StorageError, match="another name"):
        topics.announce(Topic("a", broadcast=True))


def test_what_is_declared_anew_counts() -> None:
    topics = Topics()
    topics.declare(Topic("a", keep=10.0), partitions(1))
    kept = topics.declare(Topic("a", keep=20.0), [])
    assert kept.declared.keep == 20.0
    assert [topic.declared.name for topic in topics] == ["a"]


def test_announcing_again_keeps_who_listens() -> None:
    topics = Topics()
    topics.announce(Topic("wake", broadcast=True))
    channel = topics.channel(Topic("wake", broadcast=True))
    topics.announce(Topic("wake", broadcast=True))
    assert topics.channel(Topic("wake", broadcast=True)) is channel


def test_what_was_not_set_up_is_unavailable_by_name() -> None:
    with pytest.raises(StorageUnavailable, match="'a'"):
        Topics().kept(Topic("a"))
    with pytest.raises(StorageUnavailable, match="'a'"):
        Topics().channel(Topic("a", broadcast=True))

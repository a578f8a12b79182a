"""Who reads a pool's requests."""

from __future__ import annotations

from esclusa.hub.consumer import Consumer, consumers
from esclusa.hub.settings import PoolSettings
from esclusa.hub.stored import Envelope, Times
from esclusa.hub.topics import pool_topics

TOPICS = pool_topics({"slow": PoolSettings()}, {})["slow"]
ENVELOPE = Envelope(1, b"i" * 16, Times(0, 1, 2, 3), ["a", "b"], b"", 100)


def test_one_consumer_for_all_connectors_unless_told() -> None:
    (consumer,) = consumers(TOPICS, PoolSettings(), ["a", "b"])
    assert consumer.group == "pool.slow"
    assert consumer.addressed(ENVELOPE) is ENVELOPE


def test_each_connector_has_a_group_where_that_is_configured() -> None:
    each = consumers(TOPICS, PoolSettings(consumers="connector"), ["a", "c"])
    assert [consumer.group for consumer in each] == ["connector.a", "connector.c"]


def test_a_connector_by_itself_is_concerned_by_what_is_addressed_to_it() -> None:
    mine = Consumer(TOPICS, "b").addressed(ENVELOPE)
    assert mine is not None
    assert mine.connectors == ["b"]
    assert Consumer(TOPICS, "c").addressed(ENVELOPE) is None

"""The hub's topics: a pair for each pool, which hold nothing longer than anybody keeps (H20)."""

from __future__ import annotations

import pytest

from esclusa.hub.settings import PoolSettings, QuerySettings
from esclusa.hub.topics import CANCELS, WAKEUPS, pool_topics
from esclusa.kernel.duration import Duration
from esclusa.ports.log import partition_of


def test_each_pool_has_its_own_pair_with_one_number_of_partitions() -> None:
    """So a request and its answers, of the same key, stand in the same partition number."""
    topics = pool_topics({"default": PoolSettings(), "south": PoolSettings(partitions=3)}, {"q": QuerySettings()})
    assert [(pair.pool, pair.requests.name, pair.answers.name) for pair in topics.values()] == [
        ("default", "requests.default", "answers.default"),
        ("south", "requests.south", "answers.south"),
    ]
    south = topics["south"]
    assert (south.requests.partitions, south.answers.partitions) == (3, 3)
    key = bytes(range(16))
    assert partition_of(key, south.requests.partitions) == partition_of(key, south.answers.partitions)


@pytest.mark.parametrize(("keeps", "expected"), [([60, 3600, 600], 3600), ([5], 65), ([], 600)])
def test_they_keep_what_the_longest_kept_request_needs(keeps: list[float], expected: float) -> None:
    """Which is never less than its ttl, and a last look."""
    queries = {f"q{keep}": QuerySettings(keep=Duration(keep)) for keep in keeps}
    pair = pool_topics({"default": PoolSettings()}, queries)["default"]
    assert (pair.requests.keep, pair.answers.keep) == (expected, expected)


def test_what_everybody_hears_is_broadcast() -> None:
    assert WAKEUPS.broadcast
    assert CANCELS.broadcast
    names = {WAKEUPS.name, CANCELS.name, *("requests.default", "answers.default")}
    assert len(names) == 4

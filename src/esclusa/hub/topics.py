"""The hub's topics. A request and its answers stand in the same partition number of their pool's two topics."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from esclusa.hub.settings import PoolSettings, QuerySettings
from esclusa.ports.log import Topic

WAKEUPS = Topic("wakeups", broadcast=True)
"""`Woken`: from collectors to whoever waits."""
CANCELS = Topic("cancels", broadcast=True)
"""`Cancelled`: from hubs to pools."""


class PoolTopics(msgspec.Struct, frozen=True):
    """The pair of topics of one pool (H20)."""

    pool: str
    requests: Topic
    answers: Topic


def pool_topics(pools: Mapping[str, PoolSettings], queries: Mapping[str, QuerySettings]) -> dict[str, PoolTopics]:
    """Each pool's pair. What they hold is worth nothing once the longest-kept request has expired."""
    keep = longest_kept(queries)
    return {
        name: PoolTopics(
            name,
            Topic(f"requests.{name}", partitions=settings.partitions, keep=keep),
            Topic(f"answers.{name}", partitions=settings.partitions, keep=keep),
        )
        for name, settings in pools.items()
    }


def longest_kept(queries: Mapping[str, QuerySettings]) -> float:
    """Seconds after which nobody needs a message of a pool any more."""
    return max((query.kept for query in queries.values()), default=QuerySettings().kept)

"""How long after its slowest back end's answer a request is complete, at half of the load that a core can take.

Requests come at random, whether or not earlier ones are answered. From the moment for which one was due to its final
result in hand, less what the slowest back end took by its own clock: so all that is not the back end's counts, on the way
there as well.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

import msgspec

from bench import bygroups, byhand
from bench.backends import Body
from bench.load import a_second, at_once, percentiles
from bench.questions import EMBEDDED, Asker, Storage, configured, running, runtime, url
from esclusa.hub.snapshot import Snapshot

CONNECTORS = 60
DELAYS_MS = range(41, 41 + CONNECTORS)
"""Milliseconds that each back end takes: the first to come is as far from the last as it would be in life."""
AT_ONCE = 256
"""Calls in the air of each connector, at most: more than there are."""
WARM = 1.0
"""Seconds before anything is measured: connections are opened, groups are joined."""
FULL = 64
"""Requests open at a time that leave a core no rest."""

body = msgspec.json.Decoder(Body)
T = TypeVar("T")


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds on top of the slowest back end, over so many requests."""

    rate: float
    """Calls a second: half of what a core can take of these back ends."""
    requests: int
    p50: float
    p99: float


async def of_hub(addresses: Sequence[str], seconds: float, storage: Storage = EMBEDDED) -> Latency:
    """The hub, for so long."""
    settings = configured(urls(addresses), [AT_ONCE] * CONNECTORS, storage=storage)
    async with runtime() as ours, running(settings, ours) as hub:
        return await _measured(Asker(hub), _slowest_of_snapshot, seconds)


def _slowest_of_snapshot(snapshot: Snapshot) -> int:
    return max(body.decode(answer.data or b"").took for answer in snapshot.answers)


async def by_hand(addresses: Sequence[str], seconds: float) -> Latency:
    """The same by hand."""
    async with byhand.session() as session:
        ask = partial(byhand.ask, session, urls(addresses))
        return await _measured(ask, _slowest_of_bodies, seconds)


async def by_groups(addresses: Sequence[str], seconds: float, kafka: Sequence[str]) -> Latency:
    """The same by consumer groups."""
    async with bygroups.page(kafka, urls(addresses)) as page:
        return await _measured(page.ask, _slowest_of_bodies, seconds)


def _slowest_of_bodies(bodies: list[dict[str, int]]) -> int:
    return max(body["took"] for body in bodies)


def urls(addresses: Sequence[str]) -> list[str]:
    """Of the back ends, each with its delay."""
    return [url(address, delay, delay) for address, delay in zip(addresses, DELAYS_MS, strict=False)]


async def _measured(ask: Callable[[], Awaitable[T]], slowest: Callable[[T], int], seconds: float) -> Latency:
    """`slowest`: what the slowest back end of an answer took, in microseconds."""
    await at_once(ask, CONNECTORS, FULL, WARM)
    full = await at_once(ask, CONNECTORS, FULL, seconds / 4)
    rate = full.calls / full.seconds / 2
    answers = await a_second(ask, rate / CONNECTORS, round(rate / CONNECTORS * seconds))
    over = [lasted * 1e3 - slowest(answer) / 1e3 for lasted, answer in answers]
    return Latency(rate, len(over), *percentiles(over))

"""How long after its slowest back end's answer a request is complete, at half of the load that a core can take.

Requests come at random, whether or not earlier ones are answered. From the moment for which one was due to its final
result in hand, less what the slowest back end took by its own clock: so all that is not the back end's counts, on the way
there as well.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from bench import byhand
from bench.backends import Body
from bench.load import a_second, percentiles
from bench.questions import Asker, configured, running, url, world

CONNECTORS = 60
DELAY = 100
"""Milliseconds that each back end takes."""
WARM = 50
"""Requests that are not counted: they open the connections."""

_took = msgspec.json.Decoder(Body)


class Latency(msgspec.Struct, frozen=True):
    """Milliseconds on top of the slowest back end, over so many requests."""

    rate: float
    """Calls a second."""
    requests: int
    p50: float
    p99: float


async def measure(addresses: Sequence[str], rate: float, seconds: float) -> tuple[Latency, Latency]:
    """The hub, and by hand, each at `rate` calls a second."""
    urls = [url(address, number, DELAY) for number, address in enumerate(addresses[:CONNECTORS])]
    async with world() as ours, running(configured(urls, concurrency=256), ours) as hub:
        asker = Asker(hub)

        async def of_hub() -> list[bytes]:
            return [answer.data or b"" for answer in (await asker()).answers]

        hubs = await _measured(of_hub, lambda data: max(_took.decode(each).took for each in data), rate, seconds)
    async with byhand.session() as session:

        async def by_hand() -> list[Any]:
            return await byhand.ask(session, urls)

        hands = await _measured(by_hand, lambda bodies: max(body["took"] for body in bodies), rate, seconds)
    return hubs, hands


async def _measured(
    ask: Callable[[], Awaitable[list[Any]]], slowest: Callable[[list[Any]], int], rate: float, seconds: float
) -> Latency:
    """`slowest`: what the slowest of the answers took, in microseconds."""
    requests = rate / CONNECTORS
    asked = await a_second(ask, requests, WARM + round(requests * seconds))
    over = [lasted * 1e3 - slowest(answers) / 1e3 for lasted, answers in asked[WARM:]]
    return Latency(rate, len(over), *percentiles(over))

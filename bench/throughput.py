"""Back-end calls a second and core: the hub's whole durable path beside the same calls by hand, in turns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec

from bench import byhand
from bench.load import Cost, Typical, at_once, typical
from bench.questions import Asker, configured, running, url, world

CONNECTORS = 60
WIDTHS = (1, 8, 32)
"""Open requests at a time."""


class Throughput(msgspec.Struct, frozen=True):
    """Medians at one number of open requests."""

    width: int
    hub: Typical
    hand: Typical

    @property
    def ratio(self) -> float:
        """The hub's calls a second over those by hand."""
        return self.hub.rate / self.hand.rate


async def measure(addresses: Sequence[str], rounds: int, seconds: float) -> list[Throughput]:
    """At each width, `rounds` times `seconds` of each of the two."""
    urls = [url(address, number) for number, address in enumerate(addresses[:CONNECTORS])]
    hub_costs: dict[int, list[Cost]] = {width: [] for width in WIDTHS}
    hand_costs: dict[int, list[Cost]] = {width: [] for width in WIDTHS}
    settings = configured(urls, concurrency=max(WIDTHS))
    async with world() as ours, running(settings, ours) as hub, byhand.session() as session:
        asker = Asker(hub)
        by_hand = partial(byhand.ask, session, urls)

        for turn in range(rounds + 1):
            for width in WIDTHS:
                of_hub = await at_once(asker, CONNECTORS, width, seconds)
                of_hand = await at_once(by_hand, CONNECTORS, width, seconds)
                if turn:  # the first one opens the connections
                    hub_costs[width].append(of_hub)
                    hand_costs[width].append(of_hand)
    return [Throughput(width, typical(hub_costs[width]), typical(hand_costs[width])) for width in WIDTHS]

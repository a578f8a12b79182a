"""Back-end calls a second and core: the hub's whole durable path beside the same calls by hand, in turns."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bench import byhand
from bench.load import Cost, at_once, middle
from bench.questions import Asker, configured, running, url

CONNECTORS = 60
WIDTHS = (1, 8, 32)
"""Open requests at a time."""


class Throughput(msgspec.Struct, frozen=True):
    """Medians at one number of open requests."""

    width: int
    hub: Cost
    hand: Cost

    @property
    def ratio(self) -> float:
        """The hub's calls a second over those by hand: of processor time, since both had one core."""
        return self.hand.micros / self.hub.micros


async def measure(addresses: Sequence[str], rounds: int, seconds: float) -> list[Throughput]:
    """At each width, `rounds` times `seconds` of each of the two."""
    urls = [url(address, number) for number, address in enumerate(addresses[:CONNECTORS])]
    hub_costs: dict[int, list[Cost]] = {width: [] for width in WIDTHS}
    hand_costs: dict[int, list[Cost]] = {width: [] for width in WIDTHS}
    async with running(configured(urls, concurrency=max(WIDTHS))) as hub, byhand.session() as session:
        asker = Asker(hub)

        async def by_hand() -> None:
            await byhand.ask(session, urls)

        for turn in range(rounds + 1):
            for width in WIDTHS:
                ours = await at_once(asker, CONNECTORS, width, seconds)
                theirs = await at_once(by_hand, CONNECTORS, width, seconds)
                if turn:  # the first one opens the connections
                    hub_costs[width].append(ours)
                    hand_costs[width].append(theirs)
    return [Throughput(width, middle(hub_costs[width]), middle(hand_costs[width])) for width in WIDTHS]

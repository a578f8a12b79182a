"""What one back-end call costs as there is more of everything: connectors, and requests that are open.

Only one thing grows at a time. With more connectors a question makes more calls, and so fewer questions are asked at a
time: the calls in the air stay the same. With more open requests the calls a second stay the same: of the ten bodies that
a question asks one is slow, and the slower it is the more requests are open.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import cycle, islice

import msgspec

from bench import byhand
from bench.load import Typical, at_once, steadily, typical
from bench.questions import Asker, configured, running, url, world

IN_THE_AIR = 2000
CONNECTORS = (10, 100, 1000)
A_QUESTION = 10
"""Connectors that a question asks while open requests grow."""
A_SECOND = 400
"""Questions a second, meanwhile."""
OPEN = (1, 1_000, 10_000)
SETTLE = 2.0
"""Seconds for connections and pages to be as they will be, before anything is measured."""


class Growth(msgspec.Struct, frozen=True):
    """The cost of a call at one size."""

    size: int
    hub: Typical
    hand: Typical


class Open(msgspec.Struct, frozen=True):
    """The cost of a call with so many requests open."""

    size: int
    waited: Typical
    """Somebody waits for each, and so looks at it every two seconds at least."""
    alone: Typical
    """Nobody looks before it is final."""
    hand: Typical


async def with_connectors(addresses: Sequence[str], count: int, rounds: int, seconds: float) -> Growth:
    """A question to `count` connectors."""
    urls = [url(address, number) for number, address in enumerate(islice(cycle(addresses), count))]
    width = max(1, IN_THE_AIR // count)
    hub_costs, hand_costs = [], []
    async with world() as ours, running(configured(urls, concurrency=width), ours) as hub, byhand.session() as session:
        asker = Asker(hub)
        by_hand = partial(byhand.ask, session, urls)

        for turn in range(rounds + 1):
            of_hub = await at_once(asker, count, width, seconds)
            of_hand = await at_once(by_hand, count, width, seconds)
            if turn:  # the first one opens the connections
                hub_costs.append(of_hub)
                hand_costs.append(of_hand)
    return Growth(count, typical(hub_costs), typical(hand_costs))


async def with_open(addresses: Sequence[str], count: int, seconds: float) -> Open:
    """A question to ten bodies, `count` of them open at a time."""
    slow = count / A_SECOND
    urls = [url(address, number) for number, address in enumerate(addresses[: A_QUESTION - 1])]
    urls.append(url(addresses[A_QUESTION], A_QUESTION, round(slow * 1000)))
    costs = []
    for wait in (True, False):
        async with world() as ours, running(configured(urls, concurrency=2 * max(OPEN)), ours) as hub:
            asker = Asker(hub)
            ask = asker if wait else partial(asker.later, slow + 0.1)
            costs.append(await steadily(ask, A_QUESTION, A_SECOND, slow + SETTLE, seconds))
    async with byhand.session() as session:
        ask_all = partial(byhand.ask, session, urls)
        costs.append(await steadily(ask_all, A_QUESTION, A_SECOND, slow + SETTLE, seconds))
    return Open(count, *(typical([cost]) for cost in costs))

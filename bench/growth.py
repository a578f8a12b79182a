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
from bench.load import Cost, Typical, at_once, steadily
from bench.questions import Asker, configured, running, runtime, url

CONNECTORS = (10, 100, 1_000)
IN_THE_AIR = 2_000
"""Calls at a time, however many connectors."""
OPEN = (1, 1_000, 10_000)
A_QUESTION = 10
"""Connectors that a question asks while open requests grow."""
A_SECOND = 400
"""Questions a second, meanwhile."""
FAST, SLOW = 100, 12_000
"""Calls in the air at a time of a fast connector and of the slow one, at most."""
WARM = 2.0
"""Seconds before what is measured: connections are opened."""


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


async def connectors_of_hub(addresses: Sequence[str], count: int, seconds: float) -> Cost:
    """Questions to `count` connectors."""
    width = IN_THE_AIR // count
    async with runtime() as ours, running(configured(_many(addresses, count), [width] * count), ours) as hub:
        asker = Asker(hub)
        await at_once(asker, count, width, WARM)
        return await at_once(asker, count, width, seconds)


async def connectors_by_hand(addresses: Sequence[str], count: int, seconds: float) -> Cost:
    """The same by hand."""
    async with byhand.session() as session:
        ask = partial(byhand.ask, session, _many(addresses, count))
        await at_once(ask, count, IN_THE_AIR // count, WARM)
        return await at_once(ask, count, IN_THE_AIR // count, seconds)


async def open_of_hub(addresses: Sequence[str], count: int, seconds: float, *, wait: bool) -> Cost:
    """Questions to ten bodies, `count` of them open at a time; `wait`: somebody waits for each."""
    slow = count / A_SECOND
    settings = configured(_one_slow(addresses, slow), [*[FAST] * (A_QUESTION - 1), SLOW])
    async with runtime() as ours, running(settings, ours) as hub:
        asker = Asker(hub)
        ask = asker if wait else partial(asker.later, slow + 0.1)
        return await steadily(ask, A_QUESTION, A_SECOND, slow + WARM, seconds)


async def open_by_hand(addresses: Sequence[str], count: int, seconds: float) -> Cost:
    """The same by hand."""
    slow = count / A_SECOND
    async with byhand.session() as session:
        ask = partial(byhand.ask, session, _one_slow(addresses, slow))
        return await steadily(ask, A_QUESTION, A_SECOND, slow + WARM, seconds)


def _many(addresses: Sequence[str], count: int) -> list[str]:
    return [url(address, number) for number, address in enumerate(islice(cycle(addresses), count))]


def _one_slow(addresses: Sequence[str], slow: float) -> list[str]:
    fast = [url(address, number) for number, address in enumerate(addresses[: A_QUESTION - 1])]
    return [*fast, url(addresses[A_QUESTION], A_QUESTION, round(slow * 1000))]

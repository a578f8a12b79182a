"""What those who are well take while others are not: seven back ends alone, and the same seven beside three that are sick.

Counted is the time from the moment for which a question was due until the answers of all seven are in hand, whatever the
other three do. Policies are as shipped: line, concurrency, timeout, breaker.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import median

import msgspec

from bench.load import a_second, at_once, percentiles, say
from bench.machine import alone
from bench.questions import Asker, configured, running, runtime, url
from bench.sick import sick
from esclusa.connectors.rest import RestSettings

DELAYS_MS = range(40, 100, 9)
"""Milliseconds that each of the healthy takes."""
RATE = 200
"""Questions a second: with ten back ends about a quarter of what a core can take."""
AT_ONCE = 64
"""Calls in the air of each connector, at most."""
WARM = 1.0
"""Seconds before anything is measured: connections are opened, breakers have seen what there is to see."""


class Isolation(msgspec.Struct, frozen=True):
    """Milliseconds until the healthy have answered: the 50th and the 99th percentile."""

    questions: int
    """In each measure."""
    alone: tuple[float, float]
    beside: tuple[float, float]
    """With three that are sick."""

    @property
    def ratio(self) -> float:
        """What the sick cost the healthy, at the 99th percentile."""
        return self.beside[1] / self.alone[1]


def measured(addresses: Sequence[str], core: int, rounds: int, seconds: float) -> Isolation:
    """Both, in turns. `core`: that of the back ends."""
    say("healthy back ends beside sick ones")
    healthy = [url(address, delay, delay) for address, delay in zip(addresses, DELAYS_MS, strict=False)]
    with sick(core) as others:
        both = [*healthy, *(url(address, number, DELAYS_MS[0]) for number, address in enumerate(others))]
        turns = [(alone(partial(until, healthy, seconds)), alone(partial(until, both, seconds))) for _ in range(rounds)]
    well, beside = ([each[who] for each in turns] for who in range(2))
    return Isolation(round(RATE * seconds), _typical(well), _typical(beside))


async def until(urls: Sequence[str], seconds: float) -> tuple[float, float]:
    """Percentiles of what it takes until the first seven of `urls` have answered."""
    settings = configured(urls, [AT_ONCE] * len(urls), timeout=RestSettings(url="").timeout)
    async with runtime() as ours, running(settings, ours) as hub:
        ask = partial(Asker(hub).until, frozenset(list(settings.connectors)[: len(DELAYS_MS)]))
        await at_once(ask, len(urls), AT_ONCE // 4, WARM)
        asked = await a_second(ask, RATE, round(RATE * seconds))
        return percentiles([lasted * 1e3 for lasted, _ in asked])


def _typical(found: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return median(p50 for p50, _ in found), median(p99 for _, p99 in found)

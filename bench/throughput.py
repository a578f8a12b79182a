"""Back-end calls a second and core: the hub's whole durable path, and the same calls by hand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec

from bench import byhand
from bench.load import Cost, Typical, at_once
from bench.questions import EMBEDDED, Asker, Storage, configured, running, runtime, url
from esclusa.bootstrap import freeze_memory

CONNECTORS = 60
WIDTHS = (1, 8, 32)
"""Open requests at a time."""
WARM = 0.3
"""Seconds before what is measured: connections are opened."""


class Throughput(msgspec.Struct, frozen=True):
    """Medians at one number of open requests."""

    width: int
    hub: Typical
    hand: Typical
    other: Typical
    """Embedded: by hand, with Python's garbage collector set as the hub sets it. On a cluster: by consumer groups."""

    @property
    def ratio(self) -> float:
        """The hub's calls a second and core over those by hand: of processor time, since a waiting core is no cost."""
        return self.hand.micros / self.hub.micros


async def of_hub(
    addresses: Sequence[str], width: int, seconds: float, storage: Storage = EMBEDDED, connectors: int = CONNECTORS
) -> Cost:
    """`width` requests open at a time for so long, to so many connectors."""
    settings = configured(urls(addresses)[:connectors], [width] * connectors, storage=storage)
    async with runtime() as ours, running(settings, ours) as hub:
        asker = Asker(hub)
        await at_once(asker, connectors, width, WARM)
        return await at_once(asker, connectors, width, seconds)


async def by_hand(addresses: Sequence[str], width: int, seconds: float, *, tuned: bool = False) -> Cost:
    """The same by hand."""
    async with byhand.session() as session:
        ask = partial(byhand.ask, session, urls(addresses))
        await at_once(ask, CONNECTORS, width, WARM)
        if tuned:
            freeze_memory()
        return await at_once(ask, CONNECTORS, width, seconds)


def urls(addresses: Sequence[str]) -> list[str]:
    """Of the first back ends, which answer at once."""
    return [url(address, number) for number, address in enumerate(addresses[:CONNECTORS])]

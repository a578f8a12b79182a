"""Who waits at one process is told at once of what another process has collected (H2, H5, H7, H8)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import TypeVar
from uuid import UUID

import httpx
import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from esclusa.hub.dispatch import PACK
from esclusa.hub.stored import Woken, decode
from esclusa.hub.topics import WAKEUPS
from esclusa.hub.wakeups import LOOK
from esclusa.kernel.errors import StorageUnavailable
from esclusa.ports.log import Delivered, Subscription
from support.asking import PATIENCE, ask, final, followed, id_of, polled
from support.country import Country
from support.installation import Engines, InstalledPrograms, installed
from support.poll import until

pytestmark = [pytest.mark.real, pytest.mark.timeout(90)]

T = TypeVar("T")
DELAYS = {"a": 0.2, "b": 0.5, "c": 0.8, "d": 1.1}
"""Seconds in which each body answers."""
AT_ONCE_MS = 50
"""Milliseconds from an answer's being collected, or given, to its being shown, at the median."""
ROUNDS = 4
"""How often it is measured: in the first the servers are still warming up, and others may be at work on the machine."""
READERS = 6


def bodies() -> Country:
    country = Country(list(DELAYS), slowest=0)
    country.delays = DELAYS
    return country


class Collected:
    """What the collectors of an installation have said."""

    def __init__(self) -> None:
        self.moments: dict[str, list[float]] = {}
        """By request, when its rows were there, one after the other; seconds since the epoch."""

    async def of(self, url: str) -> list[float]:
        """Those of the answers to one request, in order; they come to this listener by themselves."""

        async def heard() -> list[float]:
            return moments if len(moments := self.moments.get(id_of(url), [])) == len(DELAYS) else []

        return await until(heard)

    @asynccontextmanager
    async def listening(self, installation: InstalledPrograms) -> AsyncIterator[None]:
        async with installation.log() as engine:

            async def subscribed() -> Subscription | None:
                try:
                    return await engine.log.subscribe(WAKEUPS, None)
                except StorageUnavailable:  # on a machine with much to do
                    return None

            subscription = await until(subscribed)
            assert subscription is not None

            async def listen() -> None:
                while True:
                    event = await subscription.receive()
                    assert isinstance(event, Delivered)
                    for message in event.messages:
                        for id, rows in decode(Woken, message.value).rows.items():
                            self.moments.setdefault(str(UUID(bytes=id)), []).extend([message.made / 1000] * rows)

            listening = asyncio.create_task(listen())
            try:
                yield
            finally:
                listening.cancel()


async def seen_by_events(client: httpx.AsyncClient, url: str, country: Country) -> dict[str, float]:
    """By body, when its answer was shown."""
    events = followed(client, url)
    return {event.data["connector"]: country.clock.now() async for event in events if event.name == "answer"}


async def seen_by_polls(client: httpx.AsyncClient, url: str, country: Country) -> dict[str, float]:
    """By body, when its answer was shown."""
    seen: dict[str, float] = {}
    async for _, snapshot in polled(client, url):
        for answer in snapshot["answers"]:
            seen.setdefault(answer["connector"], country.clock.now())
    return seen


async def round_of(client: httpx.AsyncClient, country: Country, collected: Collected) -> float:
    """Milliseconds to an answer's being shown, at the median: from its being collected, or given, whichever is more.

    What a body gives is known to wait a moment for other answers of its request; that is left out.
    """
    urls = [await ask(client) for _ in range(READERS)]
    ways = [(seen_by_events, seen_by_polls)[number % 2] for number in range(READERS)]
    shown = await asyncio.gather(*(way(client, url, country) for way, url in zip(ways, urls, strict=True)))
    after: dict[str, list[float]] = {"collected": [], "given": []}
    for url, seen in zip(urls, shown, strict=True):
        for name, moment in zip(DELAYS, await collected.of(url), strict=True):
            packing = 0 if name == "d" else PACK  # the last one waits for nobody
            after["collected"].append(1000 * (seen[name] - moment))
            after["given"].append(1000 * (seen[name] - country.answered[id_of(url), name] - packing))
    for what, each in after.items():
        print(f"shown {median(each):.0f} ms after it was {what}, {max(each):.0f} ms at most")  # noqa: T201 - it is measured
    return max(map(median, after.values()))


async def test_what_another_process_has_collected_is_shown_within_fifty_milliseconds(engines: Engines, tmp_path: Path) -> None:
    country = bodies()
    async with installed(engines, tmp_path, country) as it:
        hub = it.program("hub", "hub")
        await it.start(hub, it.program("collector", "collector"), it.program("pool", "connectors"))
        collected = Collected()
        async with collected.listening(it), hub.client(PATIENCE) as client:
            assert min([await round_of(client, country, collected) for _ in range(ROUNDS)]) <= AT_ONCE_MS


async def keep(stream: AsyncIterator[T], kept: list[T]) -> None:
    """Keep what comes, until the end or whatever ends it."""
    async for each in stream:
        kept.append(each)  # noqa: PERF401 - what has come is kept when the rest is cut off


async def test_who_waits_at_a_process_that_is_killed_goes_on_at_another(engines: Engines, tmp_path: Path) -> None:
    country = bodies()
    country.delays = DELAYS | {"d": 3.0}
    async with installed(engines, tmp_path, country) as it:
        one, two = it.program("one", "hub"), it.program("two", "hub")
        await it.start(one, two, it.program("work", "collector", "connectors"))
        async with one.client(PATIENCE) as first, two.client(PATIENCE) as second:
            url = await ask(first)
            events, polls = followed(first, url), polled(first, url)
            before = [await anext(events), await anext(events)]
            seen = [await anext(polls)]
            reading = [asyncio.ensure_future(keep(events, before)), asyncio.ensure_future(keep(polls, seen))]
            await one.kill()
            for each in reading:
                with pytest.raises(httpx.TransportError):
                    await each
            after = [event async for event in followed(second, url, after=before[-1].id)]
            assert [event.data["connector"] for event in [*before, *after[:-1]]] == list(DELAYS)
            assert after[-1].name == "done"
            tag, snapshot = seen[-1]
            async for _, later in polled(second, url, tag=tag):
                assert len(later["answers"]) > len(snapshot["answers"])
                snapshot = later
            assert snapshot["complete"]


async def test_without_any_wake_up_answers_are_shown_all_the_same(engines: Engines, tmp_path: Path) -> None:
    """The brokers refuse every wake-up as too large."""
    country = bodies()
    async with installed(engines, tmp_path, country) as it:
        hub, work = it.program("hub", "hub"), it.program("work", "collector", "connectors")
        await it.start(hub, work)
        refuse = ConfigEntry("max.message.bytes", "1", incremental_operation=AlterConfigOpType.SET)
        topic = ConfigResource(ConfigResource.Type.TOPIC, f"{it.name}.{WAKEUPS.name}", incremental_configs=[refuse])
        admin = AdminClient({"bootstrap.servers": ",".join(engines.kafka.addresses)})
        for altered in admin.incremental_alter_configs([topic]).values():
            await asyncio.wrap_future(altered)
        collected = Collected()
        async with collected.listening(it), hub.client(PATIENCE) as client:
            urls = [await ask(client) for _ in range(2)]
            shown = await asyncio.gather(seen_by_events(client, urls[0], country), seen_by_polls(client, urls[1], country))
            for url, seen in zip(urls, shown, strict=True):
                assert all(seen[name] - country.answered[id_of(url), name] < LOOK + 1 for name in DELAYS)
                assert (await final(client, url))["complete"]
        assert not collected.moments
        assert work.log().count("wake-ups are lost") == 1

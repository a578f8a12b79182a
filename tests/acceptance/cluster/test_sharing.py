"""Work is shared by whoever is there, and each piece of it is done once (H5, H14, H15)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from esclusa.connectors.backend import Reason
from esclusa.hub.settings import PoolSettings, QuerySettings
from esclusa.hub.stored import Answers, decode, encode
from esclusa.hub.topics import pool_topics
from support.asking import URL
from support.callers import Callers, Ledger
from support.country import Country
from support.installation import Engines, installed
from support.poll import until
from support.program import Program

pytestmark = [pytest.mark.real, pytest.mark.timeout(90)]

BODIES = ["a", "b", "c", "d"]
TOPICS = pool_topics({"default": PoolSettings()}, {"q": QuerySettings()})["default"]
ANSWERED, COLLECTED = "esclusa_hub_answers_total", "esclusa_hub_collected_total"


async def counts(name: str, *programs: Program) -> list[float]:
    """What each has counted."""
    return list(await asyncio.gather(*(each.metric(name) for each in programs)))


async def test_who_joins_takes_part_and_nothing_is_done_twice(engines: Engines, tmp_path: Path) -> None:
    country = Country(BODIES, slowest=0.3)
    async with installed(engines, tmp_path, country) as it:
        hub = it.program("hub", "hub")
        collectors = [it.program(f"collector{number}", "collector") for number in (1, 2)]
        pools = [it.program(f"pool{number}", "connectors") for number in (1, 2)]
        await it.start(hub, collectors[0], pools[0])
        ledger = Ledger(country)
        callers = Callers(hub, ledger)
        await callers.more(10)
        await it.start(collectors[1], pools[1])

        async def shared() -> bool:
            return all([*await counts(ANSWERED, *pools), *await counts(COLLECTED, *collectors)])

        await until(shared)
        await callers.more(20)
        await callers.end(seconds=20)
        assert ledger.final.keys() == set(ledger.accepted.values())
        assert all(snapshot["complete"] for snapshot in ledger.final.values())
        assert set(country.calls.values()) == {1}, "one call a request and body"
        everything = len(BODIES) * len(ledger.final)
        assert sum(await counts(ANSWERED, *pools)) == everything
        before = sum(await counts(COLLECTED, *collectors))  # what had not been committed when a partition moved counts twice

        async with it.log() as engine:  # as somebody would whose first append was not acknowledged in time
            for number in range(TOPICS.answers.partitions):
                end = await engine.log.end(TOPICS.answers, number)
                async for messages in engine.log.read(TOPICS.answers, number, 0, end):
                    for message in messages:
                        said = decode(Answers, message.value)
                        heads = [msgspec.structs.replace(head, reason=Reason.BACKEND_ERROR, size=0) for head in said.heads]
                        another = encode(msgspec.structs.replace(said, heads=heads, sealed=b""))
                        for value in (message.value, another):
                            await engine.log.append(TOPICS.answers, message.key, value)

        async def collected() -> bool:
            return sum(await counts(COLLECTED, *collectors)) == before + 2 * everything

        await until(collected)
        async with hub.client() as client:
            for request in ledger.final:
                ledger.see((await client.get(f"{URL}/{request}")).json(), country.clock.now())

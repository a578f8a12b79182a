"""A message that nobody can read is said, counted and settled, and keeps nobody from the next one (H11)."""

from __future__ import annotations

from pathlib import Path

import pytest

from esclusa.hub.settings import PoolSettings, QuerySettings
from esclusa.hub.stored import VERSION, Answers, Envelope, Times, encode
from esclusa.hub.topics import CANCELS, WAKEUPS, pool_topics
from support.asking import PATIENCE, ask, final
from support.country import Country
from support.installation import Engines, installed
from support.poll import until
from support.program import lines

pytestmark = [pytest.mark.real, pytest.mark.timeout(60)]

TOPICS = pool_topics({"default": PoolSettings()}, {"q": QuerySettings()})["default"]
ID = b"somebody unknown"
GARBAGE = b"\xc1 this was never a message"
SEALED = b"a key that died " + bytes(12) + b"what only that one opens"


async def test_what_nobody_can_read_is_said_counted_and_settled(engines: Engines, tmp_path: Path) -> None:
    country = Country(["a", "b"], slowest=0.1)
    async with installed(engines, tmp_path, country) as it:
        hub, collector, pool = it.program("hub", "hub"), it.program("collector", "collector"), it.program("pool", "connectors")
        await it.start(hub, collector, pool)
        now = country.clock.millis()
        times = Times(now, now + 50_000, now + 60_000, now + 600_000)
        async with it.log() as engine, hub.client(PATIENCE) as client:
            assert (await final(client, await ask(client)))["complete"], "everybody is at work"
            for topic, value in (
                (TOPICS.requests, GARBAGE),
                (TOPICS.requests, encode(Envelope(VERSION + 1, ID, times, ["a"], SEALED, 1000))),
                (TOPICS.requests, encode(Envelope(VERSION, ID, times, ["a"], SEALED, 1000))),
                (TOPICS.answers, GARBAGE),
                (TOPICS.answers, encode(Answers(VERSION + 1, ID, times.expires, [], b""))),
                (WAKEUPS, GARBAGE),
                (CANCELS, GARBAGE),
            ):
                await engine.log.append(topic, ID, value)

            async def counted() -> bool:
                wanted = {
                    pool: {"requests.default": 3, "cancels": 1},
                    collector: {"answers.default": 2},
                    hub: {"wakeups": 1},
                }
                return all(
                    [
                        await program.metric("esclusa_hub_unreadable_total", topic=topic) == count
                        for program, counts in wanted.items()
                        for topic, count in counts.items()
                    ]
                )

            await until(counted)
            said = [line for program in (pool, collector, hub) for line in lines(program.log()) if line["level"] == "error"]
            assert {(line["event"], line["topic"]) for line in said} == {
                ("a message can't be read, settled", topic)
                for topic in ("requests.default", "answers.default", "wakeups", "cancels")
            }
            words = " ".join(line["error"] for line in said)
            for why in ("its key is gone", "a stored Envelope of version 2: this program knows 1", "not a stored Cancelled"):
                assert why in words

            async def settled() -> bool:
                lags = await engine.upkeep.lag([TOPICS.requests, TOPICS.answers])
                return bool(lags) and all(lag.committed == lag.end for lag in lags)

            await until(settled)
            assert (await final(client, await ask(client)))["complete"]
        assert set(country.calls.values()) == {1}

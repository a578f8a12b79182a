"""How far behind a pool is, by group: asked of the log, seldom, and with no word that is out of date."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

import msgspec
import pytest

from esclusa.config.settings import Configuration
from esclusa.hub.inventory import Inventory
from esclusa.hub.lag import EVERY, FRESH, PATIENCE, STALE, GroupLag, Lags, PoolLag
from esclusa.hub.topics import pool_topics
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable, Unavailable
from esclusa.ports.log import Topic
from esclusa.ports.upkeep import Lag, Upkeep
from esclusa.testing.backends import waits
from esclusa.testing.virtual import EPOCH
from support.hub import configuration, question, running
from support.sink import Sink

pytestmark = pytest.mark.virtual_time

ONE = configuration(["a", "b"])
APART = msgspec.structs.replace(
    ONE, pools={"default": msgspec.structs.replace(ONE.pools["default"], consumers="connector", partitions=2)}
)


class Engine:
    """Administration that says what it is told to, and counts how often it is asked."""

    def __init__(self) -> None:
        self.said: list[Lag] = []
        self.calls = 0
        self.error: StorageUnavailable | None = None
        self.hangs = False

    async def lag(self, topics: Sequence[Topic]) -> list[Lag]:
        self.calls += 1
        await asyncio.sleep(0)
        if self.hangs:
            await asyncio.get_running_loop().create_future()
        if self.error is not None:
            raise self.error
        return [each for each in self.said if each.topic in {topic.name for topic in topics}]


class Read:
    """Lags over such an engine."""

    def __init__(self, settings: Configuration = ONE) -> None:
        self.engine, self.clock, self.sink = Engine(), Clock(epoch=EPOCH), Sink()
        self.instrument = self.sink.instrument()
        topics = pool_topics(settings.pools, settings.queries)
        inventory = Inventory(settings.connectors, settings.queries)
        self.lags = Lags(topics, settings.pools, inventory, cast("Upkeep", self.engine), self.clock, self.instrument)

    def gauge(self, name: str) -> dict[tuple[str, ...], float]:
        return dict(self.instrument.gauges[name].read())


def lag(topic: str, group: str, partition: int, behind: int) -> Lag:
    return Lag(topic, group, partition, committed=100, end=100 + behind)


async def test_it_is_the_sum_over_partitions_of_each_group() -> None:
    read = Read()
    read.engine.said = [
        lag("requests.default", "pool.default", 0, 3),
        lag("requests.default", "pool.default", 1, 4),
        lag("requests.default", "somebody-else", 1, 1000),
        lag("answers.default", "collector", 0, 2),
    ]
    (pool,) = await read.lags.pools()
    assert pool == PoolLag("default", "pool", 2, [GroupLag("pool.default", None, 7)], 2)
    assert pool.behind == 7


async def test_where_each_connector_has_a_group_the_furthest_behind_counts() -> None:
    read = Read(APART)
    read.engine.said = [
        lag("requests.default", "connector.a", 0, 3),
        lag("requests.default", "connector.a", 1, 1),
        lag("requests.default", "connector.b", 0, 9),
    ]
    (pool,) = await read.lags.pools()
    assert pool.groups == [GroupLag("connector.a", "a", 4), GroupLag("connector.b", "b", 9)]
    assert pool.behind == 9


async def test_of_who_has_never_joined_nothing_is_known() -> None:
    (pool,) = await Read().lags.pools()
    assert (pool.behind, pool.answers) == (None, None)


async def test_however_many_ask_the_log_is_asked_once() -> None:
    read = Read()
    await asyncio.gather(*[read.lags.pools() for _ in range(1000)])
    assert read.engine.calls == 1
    await read.clock.sleep(FRESH)
    await asyncio.gather(*[read.lags.pools() for _ in range(1000)])
    assert read.engine.calls == 2


async def test_a_log_that_is_away_is_asked_no_more_often() -> None:
    read = Read()
    read.engine.error = StorageUnavailable("the brokers are away")
    answers = await asyncio.gather(*[read.lags.pools() for _ in range(1000)], return_exceptions=True)
    assert all(isinstance(answer, Unavailable) for answer in answers)
    assert read.engine.calls == 1
    assert read.sink.events.count("lag can't be read") == 1
    read.engine.error = None
    await read.clock.sleep(FRESH)
    assert await read.lags.pools()


async def test_a_log_that_does_not_answer_is_not_waited_for() -> None:
    read = Read()
    read.engine.hangs = True
    begun = read.clock.now()
    with pytest.raises(Unavailable):
        await read.lags.pools()
    assert read.clock.now() - begun == pytest.approx(PATIENCE)


async def test_the_gauges_are_read_in_the_background_and_never_by_who_looks() -> None:
    read = Read()
    read.engine.said = [lag("requests.default", "pool.default", 0, 3), lag("answers.default", "collector", 0, 2)]
    await read.lags.start()
    await read.clock.sleep(1)
    for _ in range(100):
        assert read.gauge("esclusa_pool_lag") == {("default", "pool.default"): 3}
        assert read.gauge("esclusa_pool_answers_lag") == {("default",): 2}
    assert read.engine.calls == 1
    read.engine.said = []
    await read.clock.sleep(EVERY)
    assert read.gauge("esclusa_pool_lag") == {}
    await read.lags.stop()


async def test_what_was_is_not_told_for_long() -> None:
    read = Read()
    read.engine.said = [lag("requests.default", "pool.default", 0, 3)]
    await read.lags.start()
    await read.clock.sleep(1)
    read.engine.error = StorageUnavailable("the brokers are away")
    await read.clock.sleep(EVERY)
    assert read.gauge("esclusa_pool_lag") == {("default", "pool.default"): 3}
    await read.clock.sleep(STALE)
    assert read.gauge("esclusa_pool_lag") == {}
    await read.lags.stop()


async def test_a_pool_whose_processes_are_all_dead_has_its_lag() -> None:
    async with running(configuration(["a"]), roles=("hub", "collector", "purge")) as hub:
        async with running(hub.settings, engine=hub.engine, roles=("connectors",)) as pool:
            pool.backends["a"].step = waits
            await hub.hub.submit(question())
            await hub.runtime.clock.sleep(1)
            await pool.kill()
        for _ in range(3):
            await hub.hub.submit(question())
        await hub.runtime.clock.sleep(FRESH)
        (lagging,) = await hub.hub.pools()
        assert lagging.behind == 4
        assert lagging.answers == 0

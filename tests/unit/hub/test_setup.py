"""Topics are made before anybody uses them."""

from __future__ import annotations

import pytest

from esclusa.engines.memory import MemoryEngine
from esclusa.hub.settings import PoolSettings, QuerySettings
from esclusa.hub.setup import Setup
from esclusa.hub.topics import CANCELS, WAKEUPS, pool_topics
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageError
from esclusa.testing.virtual import EPOCH

pytestmark = pytest.mark.virtual_time


async def test_every_topic_is_there_once_it_has_started_however_often() -> None:
    engine = MemoryEngine(Clock(epoch=EPOCH))
    pairs = pool_topics({"default": PoolSettings(partitions=3), "south": PoolSettings()}, {"q": QuerySettings()})
    with pytest.raises(StorageError):
        await engine.log.append(pairs["default"].requests, b"", b"")
    setup = Setup(pairs.values(), [engine.upkeep])
    await setup.start()
    await setup.start()
    for pair in pairs.values():
        for topic in (pair.requests, pair.answers):
            await engine.log.append(topic, b"", b"")
    for broadcast in (WAKEUPS, CANCELS):
        await (await engine.log.subscribe(broadcast, None)).close()
    await setup.drain()
    await setup.stop()

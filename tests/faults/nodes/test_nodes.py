"""What nodes that die, hang or have missed something do to three replicas, with a ledger outside as oracle (H20, H21)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest

from esclusa.engines.cassandra import CassandraSettings
from esclusa.engines.cassandra.cassandra import CassandraEngine
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.instrument import Instrument
from esclusa.ports.records import Row
from support.keyspaces import SOCKETS, How, Nodes, done, on
from support.load import LIVES_MS, Load
from support.measured import measured, tell
from support.poll import pause

pytestmark = [pytest.mark.real, SOCKETS, pytest.mark.timeout(150)]

TIMEOUT = 3.0
LATE = 0.5
"""Seconds after the timeout in which who is refused must have been told."""
STATEMENTS = 3
"""Of one operation, at most, one after the other."""
FEW = 0.03
"""Of all operations, those that may be refused because of one node."""
HUNG = 8.0
"""Seconds that a node hangs: longer than any timeout of ours."""
MISSED = 3.0
"""Seconds after which a node that hung takes no write any more that was meant for it then: Cassandra's two, and some."""
AWAY = 20.0
"""Seconds that all nodes are away."""
KEY = b"key"


@pytest.fixture(scope="module")
def settings(nodes: Nodes) -> CassandraSettings:
    """Of one keyspace for all tests of this file: to make one takes some seconds."""
    return on(nodes.cluster, timeout=TIMEOUT)


@asynccontextmanager
async def processes(settings: CassandraSettings, count: int) -> AsyncIterator[list[CassandraEngine]]:
    """So many."""
    made = [CassandraEngine(settings, Clock(), Instrument(), skew=1.0) for _ in range(count)]
    started = []
    try:
        for each in made:
            await done(each.start)
            started.append(each)
        yield made
    finally:
        for each in started:
            await each.stop()


async def recovered(engines: Sequence[CassandraEngine]) -> float:
    """Seconds until all work again."""
    clock = Clock()
    began = clock.now()
    for engine in engines:
        await done(engine.upkeep.check)
    return clock.now() - began


async def refused(engine: CassandraEngine) -> None:
    """Every operation is refused, and in time."""
    row = Row("refused", b"", b"", Clock().millis() + LIVES_MS)
    operations: list[Awaitable[object]] = [
        engine.records.put(KEY, [row]),
        engine.records.put(KEY, [Row(f"{number}", b"", bytes(1000), row.expires) for number in range(200)]),
        engine.records.add(b"added", row),
        engine.records.read(KEY),
        engine.records.read(KEY, {"a"}),
        engine.records.forget(b"other", row.expires),
        engine.keys.make(bytes(16), bytes(32), row.expires),
        engine.keys.get(bytes(16)),
    ]
    async with asyncio.timeout(TIMEOUT + LATE):
        ends = await asyncio.gather(*operations, return_exceptions=True)
    assert [type(end) for end in ends] == [StorageUnavailable] * len(ends)


async def test_while_one_node_dies_and_another_hangs_the_others_go_on_and_nothing_is_lost(
    nodes: Nodes, settings: CassandraSettings
) -> None:
    clock = Clock()
    async with processes(settings, 4) as (*engines, witness):
        load = Load(engines, late=STATEMENTS * TIMEOUT + LATE)
        await load.more(500)
        async with nodes.away(2, how="killed"):
            await load.more(500)
            tell(f"one of three nodes was killed: {load}")
            began = clock.now()
        await nodes.whole(witness)
        measured("one of three nodes was killed; from its start on until it took part again", clock.now() - began)
        async with nodes.away(0, how="hung"):  # from here on there is no quorum without the one that was dead
            await pause(HUNG)
            await load.more(100)
        await load.more(300)
        await load.end(witness)
        tell(f"and another one hung for {HUNG:g} s: {load}")
        assert load.errors.total() <= FEW * load.done.total()


@pytest.mark.parametrize("how", ["hung", pytest.param("killed", marks=pytest.mark.soak)])
async def test_a_node_that_has_missed_something_brings_nothing_back(
    nodes: Nodes, settings: CassandraSettings, how: How
) -> None:
    async with processes(settings, 2) as (engine, other):
        records, expires = engine.records, Clock().millis() + LIVES_MS
        old = [Row(name, b"old", b"old", expires, rank=5) for name in ("contested", "late")]
        new = [Row(name, b"new", b"new", expires, rank=rank) for name, rank in (("contested", 1), ("late", 9))]
        ranked, added_to = (f"{what} {how}".encode() for what in ("ranked", "added"))
        forgotten = [f"forgotten {how} {number}".encode() for number in range(20)]
        for key in (ranked, *forgotten):
            await records.put(key, old)
        for key in forgotten:
            await records.add(key, Row("added", b"", b"", expires))
        async with nodes.away(2, how=how):
            for key in forgotten:
                await done(partial(records.forget, key, expires))
            await done(partial(records.put, ranked, new))
            added = await done(partial(records.add, added_to, Row("one", b"", b"", expires)))
            await pause(MISSED)

        # Each of those that have missed nothing is away in its turn, so the one that has takes part in what is read.
        for absent in (0, 1):
            async with nodes.away(absent, how="hung"):
                for key in forgotten:
                    assert await done(partial(other.records.read, key)) == []
                found = await done(partial(other.records.read, ranked))
                assert [(row.name, row.body, row.rank) for row in found] == [("contested", b"new", 1), ("late", b"old", 5)]
                assert await done(partial(other.records.read, added_to)) == [added]
                assert await done(partial(other.records.add, added_to, Row("one", b"other", b"", expires))) == added
        await recovered([engine, other])


@pytest.mark.parametrize("how", ["hung", pytest.param("killed", marks=pytest.mark.soak)])
async def test_without_two_of_three_all_is_refused_in_time_and_then_goes_on(
    nodes: Nodes, settings: CassandraSettings, how: How
) -> None:
    async with processes(settings, 1) as (engine,):
        expires = Clock().millis() + LIVES_MS
        await engine.records.put(KEY, [Row("a", b"", b"", expires)])
        async with nodes.away(1, 2, how=how):
            for _ in range(2):
                await refused(engine)
        measured(f"two of three nodes were {how}; until all was done again", await recovered([engine]))
        assert "a" in {row.name for row in await done(partial(engine.records.read, KEY))}


async def test_who_looks_at_each_node_is_told_which_is_away(nodes: Nodes, settings: CassandraSettings) -> None:
    async with processes(settings, 1) as (engine,):
        async with nodes.away(1, how="hung"):
            found = {each.part: each for each in await engine.installation.inspect([])}
        assert {part for part, finding in found.items() if finding.state != "sound"} == {"node 127.0.0.2"}
        assert "3 in the datacentre" in found["nodes"].what
        assert found["hints"].what == "kept by no node"
        await recovered([engine])


@pytest.mark.soak
@pytest.mark.parametrize("how", ["hung", "stopped"])
async def test_after_all_nodes_have_been_away_nothing_is_lost(nodes: Nodes, settings: CassandraSettings, how: How) -> None:
    async with processes(settings, 4) as (*engines, witness):
        load = Load(engines, late=STATEMENTS * TIMEOUT + LATE)
        await load.more(500)
        async with nodes.away(0, 1, 2, how=how):
            await pause(AWAY)
        measured(f"all nodes were {how}; until all was done again", await recovered(engines))
        await load.more(500)
        await load.end(witness)


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_whoever_dies_or_hangs_again_and_again_nothing_is_lost(nodes: Nodes, settings: CassandraSettings) -> None:
    dice = random.Random(1)
    async with processes(settings, 4) as (*engines, witness):
        load = Load(engines, late=STATEMENTS * TIMEOUT + LATE)
        for _ in range(20):
            await load.more(300)
            await nodes.whole(witness)
            async with nodes.away(dice.randrange(3), how=dice.choice(["killed", "stopped", "hung"])):
                await pause(dice.uniform(0.5, 2 * HUNG))
        await load.more(300)
        await load.end(witness)
        tell(f"nodes died and hung twenty times: {load}")
        assert load.errors.total() <= FEW * load.done.total()

"""What a cluster that says nothing, or is gone, does to a process: it is told so in time, and goes on once it is back."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from dev.cassandra import Cassandra

from esclusa.engines.cassandra import CassandraSettings
from esclusa.engines.cassandra.cassandra import CassandraEngine
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.instrument import Instrument
from esclusa.ports.records import Row
from support.keyspaces import SOCKETS
from support.measured import measured
from support.poll import until

pytestmark = [pytest.mark.real, SOCKETS, pytest.mark.timeout(150)]

TIMEOUT = 1.0
LATE = 0.5
"""Seconds after the timeout in which it must have been told."""
TRIES, WITHIN = 24, 20.0
"""Tries to reach a node again, and the seconds for them: a third of what there should be, three times of what there would be
if each came twice as late as the one before."""
BACK = 8.0
"""Seconds from when a node serves until all is done again; it is one, and the machine may have much to do."""


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """The garbage is collected while this file's filter of warnings is on."""
    yield
    gc.collect()


def operations(engine: CassandraEngine, clock: Clock, name: str) -> list[Awaitable[object]]:
    """One of each."""
    expires = clock.millis() + 600_000
    row = Row(name, b"", b"", expires)
    secret = name.encode().ljust(16)
    return [
        engine.records.put(b"key", [row]),
        engine.records.put(b"key", [Row(f"{name}-{number}", b"", bytes(1000), expires) for number in range(200)]),
        engine.records.add(b"added", row),
        engine.records.read(b"key"),
        engine.records.read(b"key", {name}),
        engine.records.forget(name.encode(), expires),
        engine.keys.make(secret, secret * 2, expires),
        engine.keys.get(secret),
        engine.keys.destroy(clock.millis()),
        engine.upkeep.check(),
        engine.upkeep.setup([]),
    ]


async def refused(engine: CassandraEngine, clock: Clock, name: str) -> None:
    """Every operation is refused, and in time."""
    async with asyncio.timeout(TIMEOUT + LATE):
        ends = await asyncio.gather(*operations(engine, clock, name), return_exceptions=True)
    assert [type(end) for end in ends] == [StorageUnavailable] * len(ends)


async def works(engine: CassandraEngine) -> bool:
    try:
        await engine.upkeep.check()
    except StorageUnavailable:
        return False
    return True


@asynccontextmanager
async def turning_away(address: str) -> AsyncIterator[Counter[str]]:
    """Whoever connects to `address` is let go of at once, and counted."""
    tries: Counter[str] = Counter()

    def turn_away(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tries[address] += 1
        writer.close()

    host, _, port = address.rpartition(":")
    async with await asyncio.start_server(turn_away, host, int(port)):
        yield tries


async def test_while_no_node_answers_everything_is_refused_in_time_and_afterwards_it_goes_on(tmp_path: Path) -> None:
    clock = Clock()
    async with Cassandra(tmp_path) as cassandra:
        (node,) = cassandra.nodes
        settings = CassandraSettings(hosts=cassandra.addresses, replication=1, timeout=Duration(TIMEOUT))
        engine = await until(partial(started, settings, clock), seconds=30)
        await asyncio.gather(*operations(engine, clock, "before"))
        acknowledged = await engine.records.read(b"key")

        node.pause()
        for turn in range(3):
            await refused(engine, clock, f"paused-{turn}")
        node.resume()
        await until(partial(works, engine))
        await asyncio.gather(*operations(engine, clock, "between"))

        await node.kill()
        for turn in range(3):
            await refused(engine, clock, f"killed-{turn}")
        async with turning_away(node.address) as tries:
            await until(partial(enough, tries), seconds=WITHIN)
        await node.start()
        await node.ready()
        began = clock.now()
        await until(partial(works, engine), seconds=BACK)
        measured("the only node was killed; from when it served again until all was done again", clock.now() - began)
        await asyncio.gather(*operations(engine, clock, "after"))
        there = await engine.records.read(b"key")
        # Not what came between: a node that is killed may lose its last tenth of a second, as Cassandra comes.
        assert [row for row in there if row in acknowledged] == acknowledged
        assert {"before", "after"} <= {row.name for row in there}
        assert await engine.keys.get(b"before".ljust(16)) == b"before".ljust(16) * 2
        await engine.stop()


async def enough(tries: Counter[str]) -> bool:
    return tries.total() >= TRIES


async def started(settings: CassandraSettings, clock: Clock) -> CassandraEngine | None:
    """An engine, if the node, which has only just come up, is quick enough for the short time that this test gives it."""
    engine = CassandraEngine(settings, clock, Instrument(), skew=1.0)
    try:
        await engine.start()
    except StorageUnavailable:
        return None
    return engine

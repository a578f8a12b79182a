"""What brokers and other members do to a process: killed, started again, gone without a word."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from dev.kafka import Kafka

from esclusa.engines.kafka.kafka import KafkaEngine
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.instrument import Instrument
from esclusa.ports.log import Topic
from esclusa.testing.exams.member import Member
from esclusa.testing.exams.members import fill
from support.poll import until

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

TOPIC = Topic("faults", partitions=2)
VICTIM = """
import asyncio, sys
from esclusa.engines.kafka.kafka import KafkaEngine
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.instrument import Instrument
from esclusa.ports.log import Assigned, Topic

async def main():
    engine = KafkaEngine(KafkaSettings(servers=[sys.argv[1]]), Clock(), Instrument())
    await engine.start()
    subscription = await engine.log.subscribe(Topic("faults", partitions=2), "group")
    while True:
        event = await subscription.receive()
        if isinstance(event, Assigned):
            print(event.partition, flush=True)

asyncio.run(main())
"""


@asynccontextmanager
async def engine_on(kafka: Kafka) -> AsyncIterator[KafkaEngine]:
    engine = KafkaEngine(KafkaSettings(servers=kafka.addresses), Clock(), Instrument())
    await engine.start()
    try:
        await engine.upkeep.setup([TOPIC])
        yield engine
    finally:
        await engine.stop()


async def appended(engine: KafkaEngine, value: bytes) -> bool:
    try:
        await engine.log.append(TOPIC, b"key", value)
    except StorageUnavailable:
        return False
    return True


async def test_while_the_broker_is_away_nothing_is_acknowledged_and_afterwards_all_goes_on(tmp_path: Path) -> None:
    async with Kafka(tmp_path) as kafka, engine_on(kafka) as engine:
        member = Member(await engine.log.subscribe(TOPIC, "group"))
        await member.holds(2)
        before = await fill(engine.log, TOPIC, 3)
        await member.gets(6)
        await kafka.nodes[0].kill()
        async with asyncio.timeout(4.5):
            outcomes = await asyncio.gather(
                *[engine.log.append(TOPIC, b"key", b"lost") for _ in range(50)], return_exceptions=True
            )
        assert all(isinstance(outcome, StorageUnavailable) for outcome in outcomes)
        with pytest.raises(StorageUnavailable):
            await engine.upkeep.check()
        with pytest.raises(StorageUnavailable):
            await engine.log.end(TOPIC, 0)
        await kafka.nodes[0].start()
        await kafka.nodes[0].ready()
        await until(lambda: appended(engine, b"after"), seconds=20)
        await member.until(lambda: b"after" in member.values)
        assert set(member.values) <= {*before, b"lost", b"after"}
        await engine.upkeep.check()
        heir = Member(await engine.log.subscribe(TOPIC, "group"))
        await heir.holds(1)
        await member.holds(1)


async def test_the_partitions_of_a_process_that_was_killed_are_anothers_within_ten_seconds(tmp_path: Path) -> None:
    async with Kafka(tmp_path) as kafka, engine_on(kafka) as engine:
        values = await fill(engine.log, TOPIC, 3)
        victim = await asyncio.create_subprocess_exec(
            sys.executable, "-c", VICTIM, kafka.addresses[0], stdout=asyncio.subprocess.PIPE
        )
        try:
            assert victim.stdout is not None
            assert sorted([await victim.stdout.readline(), await victim.stdout.readline()]) == [b"0\n", b"1\n"]
            heir = Member(await engine.log.subscribe(TOPIC, "group"))
        finally:
            victim.kill()
            await victim.wait()
        async with asyncio.timeout(10):
            await heir.holds(2)
        await heir.gets(6)
        assert sorted(heir.values) == sorted(values)

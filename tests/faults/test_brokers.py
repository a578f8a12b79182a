"""What three brokers do to a process's log under load, with a ledger outside as oracle (H14, H20).

Whatever is done to them: nothing that was acknowledged is lost, nothing stands there twice but what had to be sent again,
no position goes past what is unfinished, every append is answered in time, memory is bounded, and all recovers by itself.
How long that took is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import msgspec
import pytest

from esclusa.kernel.errors import StorageUnavailable
from esclusa.ports.log import Log
from esclusa.testing.exams.members import key_of
from support.brokers import Brokers, process
from support.log_scene import BACK, TOPIC, LogScene, log_scene
from support.log_worker import outside
from support.poll import pause, until

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

SESSION = 4.0
"""Seconds that a broker that says nothing is believed to live."""
STOPPED = 2 * SESSION
ELECTED = 60.0
"""Seconds in which others do a broker's work, on a busy machine."""
AWAY = 20.0
TURNS = 10


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    """Three, for the whole file."""
    session = {"broker_session_timeout_ms": int(SESSION * 1000), "broker_heartbeat_interval_ms": 500}
    with Brokers(tmp_path_factory.mktemp("kafka"), **session) as made:
        yield made


Who = Callable[[LogScene], Awaitable[int]]


async def killed(brokers: Brokers, who: Who) -> None:
    async with log_scene(brokers) as play:
        victim = await who(play)
        await brokers.kill(victim)
        await play.flows("killed, and others do its work", within=ELECTED)
        await brokers.start(victim)
        await play.flows("back", within=BACK)


async def stopped(brokers: Brokers, who: Who) -> None:
    async with log_scene(brokers) as play:
        victim = await who(play)
        brokers.pause(victim)
        await play.flows("stopped, and others do its work", within=ELECTED)
        brokers.resume(victim)
        await play.flows("goes on", within=BACK)


@pytest.mark.soak
async def test_the_leader_of_a_partition_is_killed(brokers: Brokers) -> None:
    await killed(brokers, LogScene.leader)


@pytest.mark.soak
async def test_the_coordinator_of_the_group_is_killed(brokers: Brokers) -> None:
    await killed(brokers, LogScene.coordinator)


async def test_the_leader_of_a_partition_says_nothing_for_longer_than_it_is_believed_to_live(brokers: Brokers) -> None:
    await stopped(brokers, LogScene.leader)


async def test_a_leader_that_was_deposed_hides_nothing_that_was_acknowledged(brokers: Brokers) -> None:
    """Once it goes on it tells an old end, until it hears of it; here to a process that knows nobody else."""
    await brokers.heal()
    settings, key = brokers.settings(), key_of(0, TOPIC.partitions)
    async with process(settings) as engine:
        await engine.upkeep.setup([TOPIC])
        await asyncio.gather(*[engine.log.append(TOPIC, key, b"before") for _ in range(5)])
        victim = await brokers.leader(engine.log.name(TOPIC), 0)
        brokers.pause(victim)
        end = await until(partial(appended, engine.log, key, b"after"), seconds=ELECTED)
        async with process(msgspec.structs.replace(settings, servers=[brokers.addresses[victim - 1]])) as stranger:
            reading = asyncio.ensure_future(until(partial(below, stranger.log, end), seconds=BACK))
            await pause(0.5)
            brokers.resume(victim)
            assert (await reading)[-1] == b"after"
            mark = await until(partial(appended, stranger.log, key, b"mark"), seconds=BACK)
            there = await until(partial(below, stranger.log, mark), seconds=BACK)
            assert b"after" in there
            assert there[-1] == b"mark"


@pytest.mark.soak
async def test_the_coordinator_of_the_group_says_nothing_for_longer_than_it_is_believed_to_live(brokers: Brokers) -> None:
    await stopped(brokers, LogScene.coordinator)


@pytest.mark.soak
@pytest.mark.timeout(1200)
async def test_one_broker_after_the_other_is_killed_and_stopped(brokers: Brokers) -> None:
    async with log_scene(brokers) as play:
        for turn in range(TURNS):
            victim = brokers.numbers[turn % 3]
            await brokers.kill(victim)
            await play.flows(f"{victim} killed", within=ELECTED)
            await brokers.heal()
            brokers.pause(victim)
            await pause(STOPPED)
            brokers.resume(victim)
            await play.flows(f"{victim} was stopped", within=BACK)
            await brokers.heal()


async def test_with_too_few_copies_nothing_is_acknowledged_and_memory_is_bounded(brokers: Brokers) -> None:
    """Two of three are dead: who is left must not say that a message is safe."""
    async with log_scene(brokers) as play:
        dead = brokers.numbers[:2]
        await brokers.kill(*dead)
        begun = asyncio.get_running_loop().time()
        acknowledged = await play.flood()
        assert not acknowledged
        last = play.ledger.last_acknowledged
        assert last is None or last - begun < STOPPED, "acknowledged, and only one has it"
        await brokers.start(dead[0])
        await play.flows("two are there again", within=BACK)
        await brokers.start(dead[1])
        await play.flows("all are there again", within=BACK)


@pytest.mark.soak
async def test_all_are_away_for_a_while(brokers: Brokers) -> None:
    async with log_scene(brokers) as play:
        await brokers.kill(*brokers.numbers)
        assert not await play.flood()
        await pause(AWAY)
        await brokers.start(*brokers.numbers)
        await play.flows("all were away", within=BACK)


@pytest.mark.soak
async def test_all_say_nothing_for_longer_than_they_are_believed_to_live(brokers: Brokers) -> None:
    async with log_scene(brokers) as play:
        brokers.pause(*brokers.numbers)
        await play.flood()
        await pause(STOPPED)
        brokers.resume(*brokers.numbers)
        await play.flows("all were stopped", within=BACK)


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_a_member_joins_and_leaves_again_and_again(brokers: Brokers) -> None:
    async with log_scene(brokers) as play:
        for turn in range(TURNS):
            async with outside(f"guest {turn}", play.settings, TOPIC, play.ledger.note) as guest:
                async with asyncio.timeout(BACK):
                    await guest.given.wait()
                await play.flows(f"{guest.name} has joined", within=BACK)
                if turn % 3 == 2:
                    await guest.kill()
                else:
                    assert await guest.leave() == 0
            await play.flows(f"{guest.name} has left", within=BACK)
        assert play.ledger.repeated < play.ledger.moves * 100


@pytest.mark.soak
async def test_the_disk_of_one_is_full(brokers: Brokers) -> None:
    """It ends by itself; others do its work, and whoever makes room starts it again."""
    async with log_scene(brokers) as play:
        victim = await play.leader()
        brokers.fill(victim)
        await play.flows("one disk is full, and others do its work", within=ELECTED)
        await brokers.ended(victim)
        await brokers.start(victim)
        await play.flows("there is room again", within=BACK)


async def appended(log: Log, key: bytes, value: bytes) -> int | None:
    """The position after it, once it is acknowledged."""
    try:
        return await log.append(TOPIC, key, value) + 1
    except StorageUnavailable:
        return None


async def below(log: Log, end: int) -> list[bytes] | None:
    """What stands there, as far as the log says that it can be read."""
    try:
        return [message.value async for batch in log.read(TOPIC, 0, 0, end) for message in batch]
    except StorageUnavailable:
        return None

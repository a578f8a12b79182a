"""What three brokers do to a process's log under load, with a ledger outside as oracle (H14, H20).

Whatever is done to them: nothing that was acknowledged is lost, nothing stands there twice, no position goes past what is
unfinished, every append is answered in time, memory is bounded, and all recovers by itself. How long that took is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from support.brokers import Brokers
from support.log_scene import BACK, TOPIC, Scene, scene
from support.log_worker import outside
from support.poll import pause

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

SESSION = 4.0
"""Seconds that a broker that says nothing is believed to live."""
STOPPED = 2 * SESSION
ELECTED = 30.0
"""Seconds in which others do a broker's work, on a busy machine."""
AWAY = 20.0
TURNS = 10


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    """Three, for the whole file."""
    session = {"broker_session_timeout_ms": int(SESSION * 1000), "broker_heartbeat_interval_ms": 500}
    with Brokers(tmp_path_factory.mktemp("kafka"), **session) as made:
        yield made


Who = Callable[[Scene], Awaitable[int]]


async def killed(brokers: Brokers, who: Who) -> None:
    async with scene(brokers) as play:
        victim = await who(play)
        await brokers.kill(victim)
        await play.flows("killed, and others do its work", within=ELECTED)
        await brokers.start(victim)
        await play.flows("back", within=BACK)


async def stopped(brokers: Brokers, who: Who) -> None:
    async with scene(brokers) as play:
        victim = await who(play)
        brokers.pause(victim)
        await play.flows("stopped, and others do its work", within=ELECTED)
        brokers.resume(victim)
        await play.flows("goes on", within=BACK)


@pytest.mark.soak
async def test_the_leader_of_a_partition_is_killed(brokers: Brokers) -> None:
    await killed(brokers, Scene.leader)


@pytest.mark.soak
async def test_the_coordinator_of_the_group_is_killed(brokers: Brokers) -> None:
    await killed(brokers, Scene.coordinator)


async def test_the_leader_of_a_partition_says_nothing_for_longer_than_it_is_believed_to_live(brokers: Brokers) -> None:
    await stopped(brokers, Scene.leader)


@pytest.mark.soak
async def test_the_coordinator_of_the_group_says_nothing_for_longer_than_it_is_believed_to_live(brokers: Brokers) -> None:
    await stopped(brokers, Scene.coordinator)


@pytest.mark.soak
@pytest.mark.timeout(1200)
async def test_one_broker_after_the_other_is_killed_and_stopped(brokers: Brokers) -> None:
    async with scene(brokers) as play:
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
    async with scene(brokers) as play:
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
    async with scene(brokers) as play:
        await brokers.kill(*brokers.numbers)
        assert not await play.flood()
        await pause(AWAY)
        await brokers.start(*brokers.numbers)
        await play.flows("all were away", within=BACK)


@pytest.mark.soak
async def test_all_say_nothing_for_longer_than_they_are_believed_to_live(brokers: Brokers) -> None:
    async with scene(brokers) as play:
        brokers.pause(*brokers.numbers)
        await play.flood()
        await pause(STOPPED)
        brokers.resume(*brokers.numbers)
        await play.flows("all were stopped", within=BACK)


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_a_member_joins_and_leaves_again_and_again(brokers: Brokers) -> None:
    async with scene(brokers) as play:
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
    async with scene(brokers) as play:
        victim = await play.leader()
        brokers.fill(victim)
        await play.flows("one disk is full, and others do its work", within=ELECTED)
        await brokers.ended(victim)
        await brokers.start(victim)
        await play.flows("there is room again", within=BACK)

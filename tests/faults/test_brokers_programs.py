"""What three brokers do to a whole installation, with a ledger outside as oracle (H5, H7, H14, H20).

Whatever is done to them: every accepted request reaches its final state by its deadline and never changes after, no answer
that was shown is lost, who has answered isn't asked again, what can't be stored is refused in time, memory is bounded, and
all recovers by itself. How long that took is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from dev.node import Node

from support.brokers import leader
from support.installation import Engines
from support.poll import pause
from support.program_scene import ProgramScene, program_scene

Leader = Callable[[], Awaitable[int]]
pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

BELIEVED = 9.0
"""Seconds that a broker that says nothing is believed to live, and more than a member of a group is."""
AWAY = 20.0


@asynccontextmanager
async def disturbed(folder: Path, *, faults: int) -> AsyncIterator[tuple[ProgramScene, list[Node], Leader]]:
    """An installation on three brokers, those brokers, and who leads the first partition of requests: its place."""
    async with Engines(folder / "engines", brokers=3) as engines, program_scene(engines, folder, faults=faults) as play:
        topic = f"{play.installation.name}.requests.default"

        async def leads() -> int:
            return await leader(engines.kafka.addresses, topic, 0) - 1

        yield play, engines.kafka.nodes, leads


async def test_the_leader_is_killed_and_then_all_say_nothing_for_longer_than_they_are_believed_to_live(tmp_path: Path) -> None:
    async with disturbed(tmp_path, faults=2) as (play, brokers, leads):
        victim = brokers[await leads()]
        await victim.kill()
        await play.recovered("the leader was killed")
        await victim.start()
        await victim.ready()
        for broker in brokers:
            broker.pause()
        await pause(BELIEVED + 1)
        for broker in brokers:
            broker.resume()
        await play.recovered("all were stopped")


@pytest.mark.soak
async def test_all_are_away_for_a_while(tmp_path: Path) -> None:
    async with disturbed(tmp_path, faults=1) as (play, brokers, _):
        for broker in brokers:
            await broker.kill()
        await pause(AWAY)
        await asyncio.gather(*(broker.start() for broker in brokers))
        await asyncio.gather(*(broker.ready() for broker in brokers))
        await play.recovered("all were away")


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_the_leader_is_killed_or_stopped_again_and_again(tmp_path: Path) -> None:
    turns = 5
    async with disturbed(tmp_path, faults=turns) as (play, brokers, leads):
        for turn in range(turns):
            victim = brokers[await leads()]
            if turn % 2:
                victim.pause()
                await play.recovered("the leader was stopped")
                victim.resume()
            else:
                await victim.kill()
                await play.recovered("the leader was killed")
                await victim.start()
                await victim.ready()
            await play.recovered("it is back")

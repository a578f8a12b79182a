"""What the only broker and other members do to a process's log: killed, stopped, full, gone without a word (H14, H20)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from esclusa.kernel.errors import StorageUnavailable
from support.brokers import Brokers
from support.log_scene import BACK, TOPIC, scene
from support.log_worker import outside
from support.poll import pause

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

STOPPED = 8.0
"""Seconds: longer than a member that says nothing is believed to live."""
HEIR = 10.0
"""Seconds in which somebody else has the partitions of a process that was killed."""


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    """One, for the whole file."""
    with Brokers(tmp_path_factory.mktemp("kafka"), 1) as made:
        yield made


async def test_while_the_broker_is_away_nothing_is_acknowledged_and_afterwards_all_goes_on(brokers: Brokers) -> None:
    async with scene(brokers) as play:
        await brokers.kill(1)
        assert not await play.flood()
        with pytest.raises(StorageUnavailable):
            await play.engine.upkeep.check()
        with pytest.raises(StorageUnavailable):
            await play.engine.log.end(TOPIC, 0)
        await brokers.start(1)
        await play.flows("the broker was killed", within=BACK)
        await play.engine.upkeep.check()


@pytest.mark.soak
async def test_the_broker_says_nothing_for_longer_than_a_member_is_believed_to_live(brokers: Brokers) -> None:
    async with scene(brokers) as play:
        brokers.pause(1)
        await pause(STOPPED)
        brokers.resume(1)
        await play.flows("the broker was stopped", within=BACK)


@pytest.mark.soak
async def test_on_a_full_disk_nothing_is_acknowledged_and_once_there_is_room_all_goes_on(brokers: Brokers) -> None:
    """A broker that can't write ends by itself; whoever makes room starts it again."""
    async with scene(brokers) as play:
        brokers.fill(1)
        await brokers.ended(1)
        refused = len(play.ledger.refused)
        await play.ledger.refuses(refused + 10, within=BACK)
        await brokers.start(1)
        await play.flows("the disk was full", within=BACK)


async def test_the_partitions_of_a_process_that_was_killed_are_anothers_within_ten_seconds(brokers: Brokers) -> None:
    async with scene(brokers) as play, outside("guest", play.settings, TOPIC, play.ledger.note) as guest:
        async with asyncio.timeout(BACK):
            await guest.given.wait()
        await play.flows("the guest has joined", within=BACK)
        await guest.kill()
        await play.flows("the guest was killed", within=HEIR)

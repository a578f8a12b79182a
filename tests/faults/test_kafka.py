"""What the only broker and other members do to a process's log: killed, stopped, full, gone without a word (H14, H20)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest

from esclusa.engines.kafka.producer import DELIVERY
from esclusa.kernel.errors import StorageUnavailable
from esclusa.ports.log import partition_of
from support.brokers import Brokers, process
from support.log_scene import BACK, TOPIC, log_scene
from support.log_worker import outside
from support.measured import tell
from support.poll import pause

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

STOPPED = 8.0
"""Seconds: longer than a member that says nothing is believed to live."""
TURNS = 10
HEIR = 10.0
"""Seconds in which somebody else has the partitions of a process that was killed."""


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    """One, for the whole file."""
    with Brokers(tmp_path_factory.mktemp("kafka"), 1) as made:
        yield made


async def test_while_the_broker_is_away_nothing_is_acknowledged_and_afterwards_all_goes_on(brokers: Brokers) -> None:
    async with log_scene(brokers) as play:
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
    async with log_scene(brokers) as play:
        brokers.pause(1)
        await pause(STOPPED)
        brokers.resume(1)
        await play.flows("the broker was stopped", within=BACK)


@pytest.mark.soak
async def test_what_waits_while_another_append_is_given_up_stands_there_once_or_twice(brokers: Brokers) -> None:
    """The client numbers its messages anew once it has given one up; what it sends again is no repetition to the broker."""
    twice = 0
    for turn in range(TURNS):
        async with process(brokers.settings()) as engine:
            await engine.upkeep.setup([TOPIC])
            await engine.log.append(TOPIC, b"key", b"before")
            brokers.pause(1)
            early = engine.log.append(TOPIC, b"key", b"early")
            gap = 1 + turn % 2
            await pause(gap)
            late = engine.log.append(TOPIC, b"key", b"late")
            await pause(DELIVERY - gap + turn / TURNS / 2)
            brokers.resume(1)
            outcomes = await asyncio.gather(early, late, return_exceptions=True)
            offset = await engine.log.append(TOPIC, b"key", b"after")
            number = partition_of(b"key", TOPIC.partitions)
            batches = [batch async for batch in engine.log.read(TOPIC, number, 0, offset + 1)]
            counts = Counter(message.value for batch in batches for message in batch)
            assert (counts[b"before"], counts[b"after"]) == (1, 1)
            for value, outcome in zip((b"early", b"late"), outcomes, strict=True):
                assert counts[value] in ({1, 2} if isinstance(outcome, int) else {0, 1, 2})
            if max(counts.values()) > 1:
                twice += 1
                assert isinstance(outcomes[0], StorageUnavailable), "nothing was given up"
    tell(f"in {twice} of {TURNS} turns a message stood there twice")


@pytest.mark.soak
async def test_on_a_full_disk_nothing_is_acknowledged_and_once_there_is_room_all_goes_on(brokers: Brokers) -> None:
    """A broker that can't write ends by itself; whoever makes room starts it again."""
    async with log_scene(brokers) as play:
        brokers.fill(1)
        await brokers.ended(1)
        refused = len(play.ledger.refused)
        await play.ledger.refuses(refused + 10, within=BACK)
        await brokers.start(1)
        await play.flows("the disk was full", within=BACK)


async def test_the_partitions_of_a_process_that_was_killed_are_anothers_within_ten_seconds(brokers: Brokers) -> None:
    async with log_scene(brokers) as play, outside("guest", play.settings, TOPIC, play.ledger.note) as guest:
        async with asyncio.timeout(BACK):
            await guest.given.wait()
        await play.flows("the guest has joined", within=BACK)
        await guest.kill()
        await play.flows("the guest was killed", within=HEIR)

"""What a subscription says, and what is said to every process: all of it comes, whatever storage does meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from esclusa.engines.memory import MemoryEngine
from esclusa.hub.backoff import FIRST
from esclusa.hub.stored import Cancelled, Woken, encode
from esclusa.hub.subscriptions import events, heard
from esclusa.hub.topics import CANCELS
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed, StorageUnavailable, Unreadable
from esclusa.kernel.instrument import Instrument, Level
from esclusa.ports.log import Delivered, Event
from esclusa.testing.virtual import EPOCH, settle
from support.sink import Sink

pytestmark = pytest.mark.virtual_time


async def test_every_message_is_heard_in_order_until_the_subscription_is_closed() -> None:
    engine = MemoryEngine(Clock(epoch=EPOCH))
    await engine.upkeep.setup([CANCELS])
    subscription = await engine.log.subscribe(CANCELS, None)
    came: list[Cancelled] = []
    unreadable: list[Unreadable] = []

    async def listen() -> None:
        came.extend(
            [
                said
                async for said in heard(events(subscription, CANCELS.name, Clock(), Instrument()), Cancelled, unreadable.append)
            ]
        )

    listening = asyncio.ensure_future(listen())
    said = [Cancelled(bytes([number]) * 16, number) for number in range(20)]
    for each in said:
        await engine.log.append(CANCELS, each.id, encode(each))
    await settle()
    assert not listening.done()
    await subscription.close()
    await listening
    assert came == said
    assert not unreadable


async def test_what_cannot_be_read_is_told_and_passed_over() -> None:
    engine = MemoryEngine(Clock(epoch=EPOCH))
    await engine.upkeep.setup([CANCELS])
    subscription = await engine.log.subscribe(CANCELS, None)
    unreadable: list[Unreadable] = []
    hearing = heard(events(subscription, CANCELS.name, Clock(), Instrument()), Cancelled, unreadable.append)
    for value in (b"\xc1", encode(Woken({})), encode(Cancelled(bytes(16), 7))):
        await engine.log.append(CANCELS, b"", value)
    assert await anext(hearing) == Cancelled(bytes(16), 7)
    assert len(unreadable) == 2
    assert all("Cancelled" in str(error) for error in unreadable)


class Away:
    """A subscription whose storage is away three times, there, away once, there, and closed."""

    def __init__(self) -> None:
        self.left = ["away", "away", "away", "there", "away", "there"]

    async def receive(self) -> Event:
        if not self.left:
            raise Closed
        if self.left.pop(0) == "away":
            raise StorageUnavailable("away")
        return Delivered(0, [])


async def test_what_cannot_be_read_now_is_waited_for_ever_longer_until_it_can_be() -> None:
    clock, said = Clock(epoch=EPOCH), Sink()
    what = events(Away(), "topic", clock, said.instrument(Level.WARN))  # type: ignore[arg-type]  # enough of one
    came = [round(clock.now() - EPOCH, 3) async for _ in what]
    assert came == pytest.approx([FIRST * 7, FIRST * 8])
    assert len(said) == 4

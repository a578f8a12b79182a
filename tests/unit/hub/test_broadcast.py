"""What is said to every process: all of it comes, but what can't be read, and that is told."""

from __future__ import annotations

import asyncio

import pytest

from esclusa.engines.memory import MemoryEngine
from esclusa.hub.broadcast import heard
from esclusa.hub.stored import Cancelled, Woken, encode
from esclusa.hub.topics import CANCELS
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Unreadable
from esclusa.testing.virtual import EPOCH, settle

pytestmark = pytest.mark.virtual_time


async def test_every_message_is_heard_in_order_until_the_subscription_is_closed() -> None:
    engine = MemoryEngine(Clock(epoch=EPOCH))
    await engine.upkeep.setup([CANCELS])
    subscription = await engine.log.subscribe(CANCELS, None)
    came: list[Cancelled] = []
    unreadable: list[Unreadable] = []

    async def listen() -> None:
        came.extend([said async for said in heard(subscription, Cancelled, unreadable.append)])

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
    hearing = heard(subscription, Cancelled, unreadable.append)
    for value in (b"\xc1", encode(Woken({})), encode(Cancelled(bytes(16), 7))):
        await engine.log.append(CANCELS, b"", value)
    assert await anext(hearing) == Cancelled(bytes(16), 7)
    assert len(unreadable) == 2
    assert all("Cancelled" in str(error) for error in unreadable)

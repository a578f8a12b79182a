"""Envelopes that wait for what they need, in order, and hold what they weigh meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import cast

import pytest

from esclusa.hub.backlog import Backlog
from esclusa.hub.recovery import Recovery
from esclusa.hub.room import Room
from esclusa.hub.stored import Envelope, Times
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.lifecycle import Background
from support.sink import Sink

pytestmark = pytest.mark.virtual_time


class Answers:
    """What has been answered, once it can be read."""

    def __init__(self) -> None:
        self.away = False
        self.forgotten = 0

    async def answered(self, envelope: Envelope) -> Mapping[str, int]:
        if self.away:
            raise StorageUnavailable("away")
        return {"a": len(envelope.connectors)}

    def forget(self) -> None:
        self.forgotten += 1


class Stage:
    """A backlog, and what comes out of it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.answers = Answers()
        self.room = Room(1 << 20)
        self.out: list[tuple[int, Mapping[str, int]]] = []
        self.locked = False
        self.idle = 0
        self.logged = Sink()
        self.backlog = Backlog(cast("Recovery", self.answers), self.hand_out, self.room, self.clock, self.logged.instrument())
        self.background = Background("test")
        self.background.spawn("run", self.backlog.run(self.is_idle))

    def is_idle(self) -> None:
        self.idle += 1

    async def hand_out(self, offset: int, _: Envelope, answered: Mapping[str, int]) -> None:
        if self.locked:
            raise StorageUnavailable("no key")
        self.out.append((offset, answered))

    def add(self, *offsets: int) -> None:
        for offset in offsets:
            self.backlog.add(offset, Envelope(1, b"i" * 16, Times(0, 1, 2, 3), ["a", "b"], b"x" * 100, 1000))


async def test_they_go_on_in_order_and_give_back_what_they_held() -> None:
    stage = Stage()
    stage.add(3, 4, 5)
    assert (len(stage.backlog), stage.room.taken > 300) == (3, True)
    await asyncio.sleep(0.1)
    assert stage.out == [(3, {"a": 2}), (4, {"a": 2}), (5, {"a": 2})]
    assert (len(stage.backlog), stage.room.taken) == (0, 0)
    assert stage.idle == 1
    await stage.background.cancel()


@pytest.mark.parametrize("what", ["away", "locked"])
async def test_what_cannot_be_read_now_is_tried_again_and_nothing_overtakes(what: str) -> None:
    stage = Stage()
    setattr(stage.answers if what == "away" else stage, what, True)
    stage.add(3, 4)
    await asyncio.sleep(5)
    assert (stage.out, len(stage.backlog)) == ([], 2)
    assert len(list(stage.logged)) > 1
    setattr(stage.answers if what == "away" else stage, what, False)
    await asyncio.sleep(5)
    assert [offset for offset, _ in stage.out] == [3, 4]
    await stage.background.cancel()


async def test_once_closed_nothing_comes_out_and_nothing_is_held() -> None:
    stage = Stage()
    stage.locked = True
    stage.add(3, 4)
    await asyncio.sleep(0.1)
    stage.backlog.close()
    stage.locked = False
    await asyncio.sleep(5)
    assert (stage.out, stage.room.taken) == ([], 0)
    assert not stage.background._tasks, "its task has ended"


async def test_what_was_read_is_forgotten_when_it_has_been_of_no_use_for_a_while() -> None:
    stage = Stage()
    stage.add(3)
    await asyncio.sleep(4)
    assert stage.answers.forgotten == 0
    await asyncio.sleep(2)
    assert stage.answers.forgotten == 1
    stage.add(4)
    await asyncio.sleep(0.1)
    assert len(stage.out) == 2
    await stage.background.cancel()

"""The member that exams receive with: whatever no engine may do, it finds out, and nobody waits for ever."""

from __future__ import annotations

import asyncio

import pytest

from esclusa.kernel.errors import Closed
from esclusa.kernel.message import Message
from esclusa.ports.log import Assigned, Delivered, Event, Revoked
from esclusa.testing.exams.member import Member

pytestmark = pytest.mark.virtual_time


class Told:
    """A subscription that says what the test says."""

    def __init__(self, *events: Event) -> None:
        self.events: asyncio.Queue[Event | None] = asyncio.Queue()
        self.released: list[int] = []
        for event in events:
            self.events.put_nowait(event)

    async def receive(self) -> Event:
        event = await self.events.get()
        if event is None:
            raise Closed
        return event

    def pause(self, *, paused: bool) -> None:
        """Nothing."""

    def commit(self, *_: int) -> asyncio.Future[None]:
        raise AssertionError("nobody commits here")

    async def release(self, partition: int) -> None:
        self.released.append(partition)

    async def close(self) -> None:
        self.events.put_nowait(None)


def batch(partition: int, *offsets: int) -> Delivered:
    return Delivered(partition, [Message(offset, 0, b"key", b"%d" % offset) for offset in offsets])


async def test_it_notes_what_it_is_given_and_what_comes() -> None:
    told = Told(Assigned(0, 3, 9), Assigned(1, 0, 0), batch(0, 3, 5), batch(0, 6))
    member = Member(told)
    await member.gets(3)
    await member.holds(2)
    assert member.values == [b"3", b"5", b"6"]
    assert member.current == {0: [b"3", b"5", b"6"], 1: []}
    assert [partition for partition, _ in member.messages] == [0, 0, 0]
    member.alive()


async def test_what_is_revoked_is_released_at_once_or_when_the_test_says() -> None:
    told = Told(Assigned(0, 0, 0), Revoked(0, lost=False))
    await Member(told).must_release(1)
    waiting = Told(Assigned(0, 0, 0), Revoked(0, lost=False))
    member = Member(waiting, releases=False)
    await member.must_release(1)
    assert (told.released, waiting.released, member.owned) == ([0], [], {})


async def test_what_is_lost_is_not_released() -> None:
    told = Told(Assigned(0, 0, 0), Revoked(0, lost=True))
    member = Member(told)
    await member.until(lambda: member.lost == [0])
    assert (told.released, member.revoked) == ([], [])


@pytest.mark.parametrize(
    ("events", "what"),
    [
        ([Assigned(0, 0, 0), Assigned(0, 0, 0)], "held already"),
        ([Assigned(0, 2, 1)], "^$"),  # a position beyond the end
        ([Revoked(0, lost=False)], "not given"),
        ([batch(0, 1)], "not held"),
        ([Assigned(0, 0, 0), batch(0)], "has messages"),
        ([Assigned(0, 0, 9), batch(0, 1, 1)], "in order"),
        ([Assigned(0, 0, 9), batch(0, 2), batch(0, 1)], "in order"),
        ([Assigned(0, 5, 9), batch(0, 4)], "below the position"),
        ([Assigned(0, 0, 9), Revoked(0, lost=False), batch(0, 1)], "not held"),
    ],
)
async def test_what_no_engine_may_do_is_found_out(events: list[Event], what: str) -> None:
    member = Member(Told(*events))
    with pytest.raises(AssertionError, match=what):
        await member.gets(100)
    with pytest.raises(AssertionError, match=what):
        member.alive()


async def test_what_does_not_come_in_time_is_waited_for_no_longer() -> None:
    with pytest.raises(TimeoutError):
        await Member(Told(), limit=5).gets(1)
    assert asyncio.get_running_loop().time() == 5


async def test_who_was_closed_before_what_is_waited_for_says_so() -> None:
    told = Told()
    member = Member(told)
    await member.close()
    assert member.closed
    with pytest.raises(AssertionError, match="was closed before"):
        await member.gets(1)


async def test_a_subscription_whose_closing_wakes_nobody_is_found_out() -> None:
    class Deaf(Told):
        async def close(self) -> None:
            """Nothing."""

    with pytest.raises(TimeoutError):
        await Member(Deaf(), limit=5).close()


async def test_one_can_stop_receiving_without_closing() -> None:
    told = Told()
    member = Member(told)
    await member.stop()
    told.events.put_nowait(Assigned(0, 0, 0))
    await asyncio.sleep(1)
    assert member.events == []

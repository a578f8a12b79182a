from __future__ import annotations

import asyncio

import pytest

from esclusa.connectors.wheel import NEVER, Wheel
from esclusa.kernel.clock import CATCH_UP, Clock
from esclusa.testing.virtual import EPOCH, VirtualLoop

pytestmark = pytest.mark.virtual_time


class Item:
    """Something with a moment."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.due = NEVER


class Board:
    """A wheel, and what it has reached: name and seconds since the start."""

    def __init__(self) -> None:
        self.clock = Clock(epoch=EPOCH)
        self.reached: list[tuple[str, float]] = []
        self.wheel: Wheel[Item] = Wheel(self.clock, self.note)

    def note(self, item: Item) -> None:
        self.reached.append((item.name, round(self.clock.now() - EPOCH, 2)))

    def sleep_through(self, seconds: float) -> None:
        """The process is stopped for so long."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.jump(seconds)

    def set(self, name: str, seconds: float) -> Item:
        item = Item(name)
        self.wheel.set(item, EPOCH + seconds)
        return item


async def test_each_item_is_reached_at_its_moment_and_once() -> None:
    board = Board()
    for name, seconds in (("c", 3), ("a", 0.51), ("b", 0.52), ("d", 60)):
        board.set(name, seconds)
    await board.clock.sleep(100)
    assert board.reached == [("a", 0.51), ("b", 0.52), ("c", 3), ("d", 60)]


async def test_an_item_that_is_due_already_is_reached_in_the_next_turn() -> None:
    board = Board()
    board.set("late", -5)
    assert board.reached == []
    await board.clock.sleep(0.01)
    assert board.reached == [("late", 0)]


async def test_items_of_one_moment_are_reached_in_the_order_of_their_making() -> None:
    board = Board()
    for name in "xyz":
        board.set(name, 1)
    await board.clock.sleep(2)
    assert board.reached == [("x", 1), ("y", 1), ("z", 1)]


async def test_what_is_cleared_is_never_reached() -> None:
    board = Board()
    kept, gone = board.set("kept", 1), board.set("gone", 1)
    board.wheel.clear(gone)
    board.wheel.clear(gone)
    await board.clock.sleep(2)
    assert board.reached == [("kept", 1)]
    assert kept.due == gone.due == NEVER


async def test_a_second_moment_takes_the_place_of_the_first() -> None:
    board = Board()
    board.wheel.set(board.set("later", 1), EPOCH + 5)
    board.wheel.set(board.set("sooner", 9), EPOCH + 2)
    await board.clock.sleep(10)
    assert board.reached == [("sooner", 2), ("later", 5)]


async def test_an_item_that_a_neighbour_clears_or_moves_in_the_same_moment_is_left_alone() -> None:
    board = Board()
    board.set("first", 1)
    cleared, moved = board.set("cleared", 1), board.set("moved", 1)

    def meddle(item: Item) -> None:
        board.note(item)
        if item.name == "first":
            board.wheel.clear(cleared)
            board.wheel.set(moved, EPOCH + 4)

    board.wheel = Wheel(board.clock, meddle)
    for item in (Item("first"), cleared, moved):
        item.due = NEVER
        board.wheel.set(item, EPOCH + 2)
    await board.clock.sleep(10)
    assert board.reached[-2:] == [("first", 2), ("moved", 4)]


async def test_one_that_fails_keeps_nobody_else_waiting() -> None:
    board = Board()

    def fail(item: Item) -> None:
        board.note(item)
        if item.name == "bad":
            raise ValueError("told to")

    failures: list[str] = []
    board.clock._loop.set_exception_handler(lambda _, context: failures.append(str(context["exception"])))
    board.wheel = Wheel(board.clock, fail)
    for name in ("bad", "good"):
        board.set(name, 1)
    board.set("later", 2)
    await board.clock.sleep(3)
    assert board.reached == [("bad", 1), ("good", 1), ("later", 2)]
    assert failures == ["told to"]


async def test_a_closed_wheel_hands_back_what_stood_on_it_and_reaches_nothing() -> None:
    board = Board()
    one, two = board.set("one", 1), board.set("two", 2)
    assert board.wheel.close() == [one, two]
    assert one.due == NEVER
    await board.clock.sleep(5)
    assert board.reached == []


async def test_what_is_cleared_leaves_nothing_behind() -> None:
    board = Board()
    for seconds in range(1000):
        board.wheel.clear(board.set("any", seconds))
    assert not board.wheel._buckets


async def test_what_a_process_has_slept_through_is_reached_once_it_has_caught_up() -> None:
    """A timer that goes off late by more than a loop ever is: what has come in meanwhile is taken first."""
    board = Board()
    heard = board.set("heard", 1)
    board.set("late", 1)
    board.clock.call_at(EPOCH + 4, board.wheel.clear, heard)
    board.sleep_through(4)
    await board.clock.sleep(0)
    assert board.reached == []
    await board.clock.sleep(CATCH_UP)
    assert board.reached == [("late", 4.05)]


async def test_a_process_that_is_late_all_the_time_reaches_them_all_the_same() -> None:
    board = Board()
    board.set("busy", 1)
    for _ in range(3):
        board.sleep_through(2)
        await board.clock.sleep(0)
    await board.clock.sleep(0)
    assert [name for name, _ in board.reached] == ["busy"]

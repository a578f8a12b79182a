"""What a part may hold: it is told once when that is full, and once when there is room again (P7)."""

from __future__ import annotations

from esclusa.hub.room import Room


def test_it_says_when_it_is_full_and_when_it_is_not_any_more_and_nothing_between() -> None:
    said: list[bool] = []
    room = Room(100)
    room.add_listener(said.append)
    room.take(60)
    assert (room.full, said) == (False, [])
    room.take(40)
    assert (room.full, said) == (True, [True])
    room.take(500)
    room.give_back(500)
    assert said == [True], "it was full all the time"
    room.give_back(1)
    assert (room.full, said) == (False, [True, False])
    room.take(1)
    assert said == [True, False, True]


def test_what_was_taken_and_given_back_leaves_nothing() -> None:
    room = Room(100)
    for size in range(1, 200):
        room.take(size)
    for size in range(1, 200):
        room.give_back(size)
    assert (room.taken, room.full) == (0, False)


def test_who_is_told_sees_what_it_is_told() -> None:
    """It may look at the room, or take more of it, while it is told."""
    seen: list[tuple[bool, bool]] = []
    room = Room(10)
    room.add_listener(lambda full: seen.append((full, room.full)))
    room.take(10)
    room.give_back(10)
    assert seen == [(True, True), (False, False)]

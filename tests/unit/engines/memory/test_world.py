"""What a memory holds, and how much of it."""

from __future__ import annotations

from esclusa.engines.memory.world import World
from esclusa.ports.records import Row


def test_bytes_are_those_of_what_is_there() -> None:
    world = World()
    world.put(b"key", [Row("a", b"head", bytes(100), 1000, rank=5)], now=0)
    assert world.bytes == 104
    world.put(b"key", [Row("a", b"", bytes(10), 1000, rank=4)], now=0)
    assert world.bytes == 10
    world.add(b"key", Row("b", b"", bytes(20), 2000), now=0)
    assert world.bytes == 30
    world.expire(before=1500, most=10)
    assert world.bytes == 20
    world.forget(b"key", until=0, now=0)
    assert world.bytes == 0


def test_as_many_keys_expire_in_one_go_as_may() -> None:
    world = World()
    for number in range(10):
        world.put(b"%d" % number, [Row("a", b"", b"", 1000), Row("b", b"", b"", 1000)], now=0)
    assert world.expired(before=1001) == 20
    assert world.expire(before=1001, most=4) == 8
    assert world.expired(before=1001) == 12
    assert world.expire(before=1001, most=100) == 12
    assert world.expired(before=1001) == 0


def test_what_was_swept_is_swept_again_when_it_comes_again() -> None:
    world = World()
    for _ in range(3):
        world.put(b"key", [Row("a", b"", b"", 1000)], now=0)
        assert world.expire(before=2000, most=10) == 1

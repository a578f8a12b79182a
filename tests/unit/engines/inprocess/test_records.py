"""The records of an engine in one process: what the exams of the port do not ask."""

from __future__ import annotations

import pytest

from esclusa.engines.memory import MemoryEngine
from esclusa.kernel.clock import Clock
from esclusa.ports.records import Row
from esclusa.testing import virtual

pytestmark = pytest.mark.virtual_time


def row(clock: Clock, name: str = "name", rank: int = 0) -> Row:
    return Row(name, b"", b"", clock.millis() + 1000, rank)


async def test_a_read_is_done_at_once_unless_its_own_key_is_being_written() -> None:
    clock = Clock(epoch=virtual.EPOCH)
    memory = MemoryEngine(clock)
    writing = memory.records.put(b"written", [row(clock)])
    assert memory.records.read(b"another").done()
    behind = memory.records.read(b"written")
    assert not behind.done()
    assert len(await behind) == 1
    await writing
    assert memory.records.read(b"written").done()


async def test_what_can_not_be_stored_is_a_mistake_of_the_caller_and_of_nobody_else() -> None:
    clock = Clock(epoch=virtual.EPOCH)
    memory = MemoryEngine(clock)
    good = memory.records.put(b"key", [row(clock)])
    for bad in (row(clock, "n" * 201), row(clock, rank=1 << 63), row(clock, rank=-(1 << 63) - 1), Row("n", b"", b"", 1 << 63)):
        with pytest.raises(ValueError, match=r"200 characters|64 bits"):
            memory.records.put(b"key", [bad])
        with pytest.raises(ValueError, match=r"200 characters|64 bits"):
            memory.records.add(b"key", bad)
    await good

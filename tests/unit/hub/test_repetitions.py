"""What is remembered of requests that may come again."""

from __future__ import annotations

import asyncio

import pytest

from esclusa.hub.repetitions import Repetitions
from esclusa.hub.stored import Envelope, Times
from esclusa.kernel.clock import Clock

pytestmark = pytest.mark.virtual_time


def envelope(id: bytes, clock: Clock) -> Envelope:
    now = clock.millis()
    return Envelope(1, id, Times(now, now + 900, now + 1000, now + 9000), ["a", "b"], b"", 100)


async def test_what_was_handed_out_is_known_until_its_deadline_and_then_costs_nothing() -> None:
    clock = Clock()
    repetitions = Repetitions(clock)
    one, two = envelope(b"1" * 16, clock), envelope(b"2" * 16, clock)
    for _ in range(3):
        repetitions.add(one)
    assert one in repetitions
    assert two not in repetitions
    await asyncio.sleep(1.5)
    repetitions.add(envelope(b"3" * 16, clock))
    assert one not in repetitions
    assert (len(repetitions._ids), len(repetitions._deadlines)) == (1, 1)


async def test_what_was_recalled_may_be_handed_out_again() -> None:
    clock = Clock()
    repetitions = Repetitions(clock)
    one = envelope(b"1" * 16, clock)
    repetitions.add(one)
    repetitions.discard(one)
    assert one not in repetitions
    repetitions.discard(one)
    repetitions.add(one)
    assert one in repetitions

"""What is remembered of requests that may come again."""

from __future__ import annotations

import asyncio

import pytest

from esclusa.hub.repetitions import Repetitions
from esclusa.hub.stored import Envelope, Times
from esclusa.kernel.clock import Clock

pytestmark = pytest.mark.virtual_time


def envelope(id: bytes, clock: Clock, *, keyed: bool = True) -> Envelope:
    now = clock.millis()
    return Envelope(1, id, Times(now, now + 900, now + 1000, now + 9000), ["a", "b"], b"", 100, keyed)


async def test_who_was_asked_is_known_until_the_deadline() -> None:
    clock = Clock()
    repetitions = Repetitions(clock)
    one = envelope(b"1" * 16, clock)
    repetitions.ask(one, ["a"])
    repetitions.ask(one, ["b"])
    assert repetitions.asked(one) == {"a", "b"}
    await asyncio.sleep(1.5)
    repetitions.ask(envelope(b"2" * 16, clock), ["a"])
    assert repetitions.asked(one) == set()


async def test_what_comes_once_is_not_remembered() -> None:
    clock = Clock()
    repetitions = Repetitions(clock)
    once = envelope(b"1" * 16, clock, keyed=False)
    repetitions.ask(once, ["a"])
    assert repetitions.asked(once) == set()


async def test_who_was_recalled_may_be_asked_again() -> None:
    clock = Clock()
    repetitions = Repetitions(clock)
    one = envelope(b"1" * 16, clock)
    repetitions.ask(one, ["a", "b"])
    repetitions.recall(one, ["b"])
    assert repetitions.asked(one) == {"a"}

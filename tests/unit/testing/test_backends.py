from __future__ import annotations

import asyncio

import pytest

from esclusa.connectors.backend import Outcome, Question
from esclusa.kernel.clock import Clock
from esclusa.testing.backends import ERROR, OK, TIMEOUT, ScriptedBackend, answers, data, hangs, raises, waits
from esclusa.testing.virtual import EPOCH

pytestmark = pytest.mark.virtual_time


class Scene:
    """A back end, and the ends of its attempts with their times in seconds."""

    def __init__(self) -> None:
        self.clock = Clock(epoch=EPOCH)
        self.backend = ScriptedBackend(self.clock)
        self.ended: list[tuple[Outcome, float]] = []

    def ask(self, seconds: float = 10) -> None:
        self.abort = self.backend.ask(Question("r", "q", "s", {}), EPOCH + seconds, self.note)

    def note(self, outcome: Outcome) -> None:
        self.ended.append((outcome, round(self.clock.now() - EPOCH, 3)))


async def test_unless_told_otherwise_it_answers_ok_in_the_next_turn() -> None:
    scene = Scene()
    scene.ask()
    assert scene.ended == []
    await scene.clock.sleep(1)
    assert scene.ended == [(OK, 0)]


async def test_it_does_what_it_is_told_in_order_and_then_what_it_always_does() -> None:
    scene = Scene()
    scene.backend.then(data(b"[1]", after=2), answers(ERROR))
    scene.backend.step = hangs
    for _ in range(3):
        scene.ask(seconds=5)
    await scene.clock.sleep(20)
    assert scene.ended == [(ERROR, 0), (Outcome(data=b"[1]"), 2), (TIMEOUT, 5)]


async def test_an_answer_that_would_come_too_late_is_a_timeout_in_time() -> None:
    scene = Scene()
    scene.backend.then(answers(after=7))
    scene.ask(seconds=5)
    await scene.clock.sleep(20)
    assert scene.ended == [(TIMEOUT, 5)]


async def test_what_waits_ends_when_the_test_says_so_and_an_abort_ends_it_in_silence() -> None:
    scene = Scene()
    scene.backend.step = waits
    scene.ask()
    scene.ask()
    assert scene.backend.most == 2
    scene.abort()
    first, second = scene.backend.attempts
    first.answer(ERROR)
    second.answer()
    await scene.clock.sleep(20)
    assert [outcome for outcome, _ in scene.ended] == [ERROR]
    assert (first.aborted, second.aborted) == (False, True)
    assert scene.backend.open == []


async def test_told_to_raise_it_raises() -> None:
    scene = Scene()
    scene.backend.then(raises)
    with pytest.raises(RuntimeError):
        scene.ask()
    assert scene.backend.open == []


async def test_one_can_wait_until_it_has_been_asked() -> None:
    scene = Scene()
    waiting = asyncio.ensure_future(scene.backend.wait_for_attempts(2))
    scene.ask()
    await scene.clock.sleep(1)
    assert not waiting.done()
    scene.ask()
    await waiting
    await scene.backend.wait_for_attempts(1)


async def test_closed_it_ends_what_is_open() -> None:
    scene = Scene()
    scene.backend.step = waits
    scene.ask()
    await scene.backend.close()
    assert scene.backend.closed == 1
    assert len(scene.ended) == 1

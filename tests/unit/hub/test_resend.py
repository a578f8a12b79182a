"""What storage refused is tried again, together and ever more seldom: an outage is no reason for a storm."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from esclusa.hub.backoff import FIRST, MOST
from esclusa.hub.resend import Resend
from esclusa.kernel.clock import Clock
from esclusa.kernel.instrument import Level
from esclusa.testing.virtual import EPOCH
from support.sink import Sink

pytestmark = pytest.mark.virtual_time


class Scene:
    """Operations that are refused until storage is back."""

    def __init__(self) -> None:
        self.clock = Clock(epoch=EPOCH)
        self.said = Sink()
        self.resend = Resend("not taken, again", self.clock, self.said.instrument(Level.WARN))
        self.back = False
        self.tried: list[tuple[float, int]] = []
        self.done: list[int] = []

    def operation(self, number: int) -> Callable[[], None]:
        def act() -> None:
            self.tried.append((round(self.clock.now() - EPOCH, 3), number))
            if self.back:
                self.done.append(number)
                self.resend.succeeded()
            else:
                self.resend.later(act, "away")

        return act


async def test_the_intervals_double_up_to_a_limit() -> None:
    scene = Scene()
    scene.resend.later(scene.operation(1), "away")
    await scene.clock.sleep(12)
    times = [when for when, _ in scene.tried]
    gaps = [round(after - before, 3) for before, after in zip([0.0, *times], times, strict=False)]
    assert gaps[0] == FIRST
    assert gaps[:5] == [0.1, 0.2, 0.4, 0.8, 1.6]
    assert set(gaps[5:]) == {MOST}


async def test_all_that_waits_is_tried_in_one_round_in_its_order_with_one_warning() -> None:
    scene = Scene()
    scene.back = True
    for number in range(1000):
        scene.resend.later(scene.operation(number), f"away {number}")
    await scene.clock.sleep(1)
    assert scene.done == list(range(1000))
    assert {when for when, _ in scene.tried} == {FIRST}
    assert scene.said == [(Level.WARN, "not taken, again", {"operations": 1000, "error": "away 999"})]


async def test_after_a_success_the_next_failure_is_a_first_one() -> None:
    scene = Scene()
    scene.resend.later(scene.operation(1), "away")
    await scene.clock.sleep(2)
    scene.back = True
    await scene.clock.sleep(2)
    assert scene.done == [1]
    before = scene.clock.now()
    scene.resend.later(scene.operation(2), "away")
    await scene.clock.sleep(1)
    assert scene.tried[-1] == (round(before + FIRST - EPOCH, 3), 2)


async def test_closed_nothing_is_tried_again() -> None:
    scene = Scene()
    scene.resend.later(scene.operation(1), "away")
    scene.resend.close()
    scene.resend.later(scene.operation(2), "away")
    await scene.clock.sleep(10)
    assert (scene.tried, scene.said) == ([], [])
    scene.resend.close()

"""What the plays of both sides share: dice, a stage, operations whose acknowledgement is lost, and the telling of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from typing import Any

from esclusa.engines.memory import MemoryEngine
from esclusa.kernel.clock import Clock
from esclusa.testing.stage import Stage, Step
from esclusa.testing.virtual import EPOCH, settle

Action = tuple[str, Callable[[], Coroutine[Any, Any, None]]]


class Broken(AssertionError):
    """An invariant does not hold."""


class Play:
    """One request, everybody who has to do with it, and a seed that decides what happens next."""

    delays = 1
    """Operations that may still be told to have timed out."""
    rest = 0.0
    """Seconds after which who was told so tries again."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.clock = Clock(epoch=EPOCH)
        self.engine = MemoryEngine(self.clock)
        self.stage = Stage()
        self.landing: list[Step] = []
        """What was told to have timed out, and may land at any later moment, or never."""
        self.told: list[str] = []

    async def begin(self) -> None:
        """Everything up to the first choice."""

    def actions(self) -> list[Action]:
        """What may happen next."""
        actions: list[Action] = [(f"{step} lands", self.bind(self.land, step)) for step in self.landing]
        for step in self.stage.waiting:
            actions.append((f"{step}", self.bind(self.happen, step)))
            if self.delays and step.what not in {"read", "end"}:
                actions.append((f"{step}, timed out", self.bind(self.delay, step)))
        return actions

    def bind(self, act: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> Callable[[], Coroutine[Any, Any, None]]:
        """`act` with its arguments, to be called if it is chosen."""
        return lambda: act(*arguments)

    async def happen(self, step: Step) -> None:
        """The step takes place."""
        self.stage.waiting.remove(step)
        await step.take()

    async def delay(self, step: Step) -> None:
        """Nobody knows whether it took place."""
        self.stage.waiting.remove(step)
        self.delays -= 1
        self.landing.append(step)
        await step.time_out()
        await self.clock.sleep(self.rest)
        await settle()

    async def land(self, step: Step) -> None:
        """It takes place after all."""
        self.landing.remove(step)
        await step.take()

    async def check(self) -> None:
        """What has to hold at every moment."""

    async def finish(self) -> None:
        """From here on nothing goes wrong: what has to hold in the end."""

    async def close(self) -> None:
        """Everybody goes home."""


async def perform(kind: Callable[[int], Play], seed: int, steps: int) -> None:
    """So many random steps and the end. `Broken` tells the whole schedule."""
    play = kind(seed)
    await play.begin()
    try:
        for _ in range(steps):
            actions = play.actions()
            if not actions:
                break
            what, act = play.dice.choice(actions)
            play.told.append(what)
            await act()
            await play.check()
        await play.finish()
    except Broken as broken:
        raise Broken(f"{broken}\nseed {seed}:\n  " + "\n  ".join(play.told)) from None
    finally:
        await play.close()

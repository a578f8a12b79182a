"""Load, and what it cost: so many questions at once, or so many a second."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from statistics import median, quantiles
from typing import TypeVar

import msgspec

from bench.machine import Measure, alone

T = TypeVar("T")


class Cost(msgspec.Struct, frozen=True):
    """What a number of back-end calls took."""

    calls: int
    seconds: float
    """By the clock on the wall."""
    cpu: float
    """Seconds of this process's processor time, all threads together."""


class Watch:
    """Begins when it is made."""

    def __init__(self) -> None:
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def cost(self, calls: int) -> Cost:
        """What `calls` calls have taken since."""
        if not calls:
            raise RuntimeError("no call has ended in time: the machine is too busy with something else")
        return Cost(calls, time.perf_counter() - self._wall, time.process_time() - self._cpu)


class Typical(msgspec.Struct, frozen=True):
    """Medians of several costs."""

    rate: float
    """Calls a second."""
    micros: float
    """Microseconds of processor time a call."""


def typical(costs: Sequence[Cost]) -> Typical:
    """What a call usually takes."""
    return Typical(
        median(cost.calls / cost.seconds for cost in costs),
        median(cost.cpu / cost.calls * 1e6 for cost in costs),
    )


def in_turns(rounds: int, *measures: Measure[Cost]) -> list[Typical]:
    """What each of `measures` finds, each alone, one after another, `rounds` times: so a noisy minute is everybody's."""
    costs = [[alone(measure) for measure in measures] for _ in range(rounds)]
    return [typical(each) for each in zip(*costs, strict=True)]


def say(what: str) -> None:
    """What is being measured now: it takes minutes."""
    print(what, "...", file=sys.stderr, flush=True)


def percentiles(values: Sequence[float]) -> tuple[float, float]:
    """The 50th and the 99th."""
    return median(values), quantiles(values, n=100)[98]


async def at_once(ask: Callable[[], Awaitable[object]], calls: int, width: int, seconds: float) -> Cost:
    """`width` askers for so long, each asking again as soon as it has its result; a question makes `calls` calls."""
    done = 0
    over = time.perf_counter() + seconds

    async def asker() -> None:
        nonlocal done
        while time.perf_counter() < over:
            await ask()
            done += 1

    watch = Watch()
    await asyncio.gather(*(asker() for _ in range(width)))
    return watch.cost(done * calls)


async def a_second(ask: Callable[[], Awaitable[T]], rate: float, count: int) -> list[tuple[float, T]]:
    """`count` questions that come at random, `rate` a second, whether or not earlier ones are answered.

    Of each: the seconds from the moment for which it was due, so that none is excused for a loop that was late; and what
    came of it.
    """
    loop = asyncio.get_running_loop()
    dice = random.Random(1)  # noqa: S311 - the same arrivals in each run
    due = loop.time()

    async def asker(due: float) -> tuple[float, T]:
        answer = await ask()
        return time.perf_counter() - due, answer

    askers = []
    for _ in range(count):
        due += dice.expovariate(rate)
        await asyncio.sleep(max(0.0, due - loop.time()))
        askers.append(loop.create_task(asker(due)))
    return await asyncio.gather(*askers)


async def steadily(ask: Callable[[], Awaitable[object]], calls: int, rate: float, before: float, seconds: float) -> Cost:
    """`rate` questions a second, evenly, for ever; what those that end in `seconds` cost, after `before` seconds of it."""
    loop = asyncio.get_running_loop()
    done = 0

    async def asker() -> None:
        nonlocal done
        await ask()
        done += 1

    async def arrivals() -> None:
        begun = loop.time()
        async with asyncio.TaskGroup() as askers:
            while True:
                while len(due) < (loop.time() - begun) * rate:
                    due.append(askers.create_task(asker()))
                await asyncio.sleep(1 / rate)

    due: list[asyncio.Task[None]] = []
    arriving = loop.create_task(arrivals())
    await asyncio.wait([arriving], timeout=before)
    watch, earlier = Watch(), done
    await asyncio.wait([arriving], timeout=seconds)
    if arriving.done():
        arriving.result()  # it never ends but by an error
    cost = watch.cost((done - earlier) * calls)
    arriving.cancel()
    await asyncio.wait([arriving])
    return cost


Begin = Callable[[Callable[[object], None]], object]
"""Begins one call, and says through what it was given how that ended."""


async def in_the_air(begin: Sequence[Begin], width: int, seconds: float) -> Cost:
    """`width` calls at a time of each of `begin`, for so long."""
    over = asyncio.get_running_loop().create_future()
    until = time.perf_counter() + seconds
    done, left = 0, width * len(begin)

    def ended(start: Begin, _: object) -> None:
        nonlocal done, left
        done += 1
        if time.perf_counter() < until:
            start(partial(ended, start))
            return
        left -= 1
        if not left:
            over.set_result(None)

    watch = Watch()
    for start in begin:
        for _ in range(width):
            start(partial(ended, start))
    await over
    return watch.cost(done)

"""One connector process at the busiest moment of a day, played in discrete events.

Processes with connectors don't share anything but the topics: each owns some partitions, and all calls of a question are made
by the process that owns its partition. So it is enough to play one, the one with the most partitions.

A question arrives, and is handed to every body's line. A call takes a place (of `concurrency`) and processor time, half of
it to send the question and half to take the answer in; then the next in line has the place. The processor does one thing
after another. What is still in line at `call_by` is KO `platform_timeout`.
"""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from statistics import quantiles

P99 = 2.3263
"""Standard deviations of a normal distribution from its median to its 99th percentile."""
SETTLE = 1.0
"""Seconds before a question's deadline from which nothing is called, at most a quarter of the ttl: `[hub] settle`."""
PACK = 0.008
"""Seconds in which the answers to one question share a message."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What comes, whom it asks, and what that costs. Times in seconds."""

    bodies: int
    """That each question asks."""
    rate: float
    """Questions a second, at the peak, all processes together."""
    median: float
    p99: float
    """Of what a body takes: a log-normal distribution."""
    hung: float
    """Share of the bodies that never answer."""
    timeout: float
    concurrency: int
    queue: int
    ttl: float
    cost: float
    """Seconds of processor time that a call costs."""
    path: float
    """Seconds that log, rows and wake-up take, there and back."""


@dataclass(frozen=True)
class Played:
    """What became of it."""

    busy: float
    """Share of the time in which the processor had something to do; 1 is all that there is."""
    complete: tuple[float, float]
    """Median and 99th percentile of the seconds until a question is complete."""
    added: tuple[float, float]
    """The same of what is added to its slowest body."""
    calls: int
    backend_timeout: int
    """Bodies that were asked and did not answer in time."""
    squeezed: int
    """Calls that the line had left less than half of their time."""
    platform_timeout: int
    """Bodies whose line was so long that they were never asked."""
    rejected: int
    """Bodies whose line was full."""
    waiting: int
    """Calls in lines when the last question came."""
    most: int
    """Calls in lines and in the air at the same time, at most."""
    connections: int
    """Calls in the air at the same time, at most."""
    messages: float
    """Of answers, for each question."""


class Process:
    """One process with a line for each body."""

    def __init__(self, load: Load, dice: random.Random) -> None:
        self._load = load
        self._dice = dice
        self._sigma = math.log(load.p99 / load.median) / P99
        self._mu = math.log(load.median)
        self._hung = round(load.hung * load.bodies)
        self._call_by = load.ttl - min(SETTLE, load.ttl / 4)
        self._free = 0.0
        """When the processor has nothing more to do."""
        self._running = [0] * load.bodies
        self._lines: list[deque[int]] = [deque() for _ in range(load.bodies)]
        self._ends: list[tuple[float, int, int]] = []
        """Of calls in the air: when, which body, which question."""
        self.asked: list[float] = []
        self.answered: list[float] = []
        """When the last answer to each question was there."""
        self.slowest: list[float] = []
        """What its slowest body took."""
        self._packed: list[float] = []
        self.worked = 0.0
        self.messages = self.backend_timeout = self.squeezed = self.platform_timeout = self.rejected = 0
        self.waiting = self.most = self.connections = 0

    def ask(self, now: float) -> None:
        """A question comes in: everything before `now` has been played."""
        load, question = self._load, len(self.asked)
        for column in (self.asked, self.answered, self._packed):
            column.append(now)
        self.slowest.append(0.0)
        self._free = max(self._free, now)
        for body in range(load.bodies):
            if self._running[body] < load.concurrency:
                self._running[body] += 1
                if not self._called(body, question):
                    self._next(body)
            elif len(self._lines[body]) < load.queue:
                self._lines[body].append(question)
                self.waiting += 1
            else:
                self.rejected += 1
                self._answer(question, self._free)
        self.connections = max(self.connections, len(self._ends))
        self.most = max(self.most, self.waiting + len(self._ends))

    def play(self, until: float) -> None:
        """Everything that happens before `until`."""
        while self._ends and self._ends[0][0] < until:
            now, body, question = heappop(self._ends)
            self._free = max(self._free, now)
            self._work()
            self._answer(question, self._free)
            self._next(body)

    def _next(self, body: int) -> None:
        """A place is free."""
        line = self._lines[body]
        while line:
            self.waiting -= 1
            if self._called(body, line.popleft()):
                return
        self._running[body] -= 1

    def _called(self, body: int, question: int) -> bool:
        """Whether there is time to call; else it is answered."""
        load = self._load
        call_by = self.asked[question] + self._call_by
        if self._free >= call_by:
            self.platform_timeout += 1
            self._answer(question, call_by)
            return False
        self._work()
        limit = min(load.timeout, max(0.0, call_by - self._free))
        if limit < min(load.timeout, self._call_by) / 2:
            self.squeezed += 1
        takes = limit if body < self._hung else self._dice.lognormvariate(self._mu, self._sigma)
        if takes >= limit:
            takes = limit
            self.backend_timeout += 1
        self.slowest[question] = max(self.slowest[question], takes)
        heappush(self._ends, (self._free + takes, body, question))
        return True

    def _work(self) -> None:
        """Half of what a call costs."""
        self._free += self._load.cost / 2
        self.worked += self._load.cost / 2

    def _answer(self, question: int, now: float) -> None:
        self.answered[question] = max(self.answered[question], now)
        if now >= self._packed[question]:
            self._packed[question] = now + PACK
            self.messages += 1


def play(load: Load, share: float, seconds: float, seed: int) -> Played:
    """So many seconds of the process that has `share` of the questions; they are all played to their end."""
    dice = random.Random(seed)  # noqa: S311 - the same day each time
    process = Process(load, dice)
    now = dice.expovariate(load.rate * share)
    while now < seconds or len(process.asked) < 2:  # noqa: PLR2004 - of one there are no percentiles
        process.play(now)
        process.ask(now)
        now += dice.expovariate(load.rate * share)
    last, waiting, worked = process.asked[-1], process.waiting, process.worked
    process.play(math.inf)
    complete = [end - begin + load.path for begin, end in zip(process.asked, process.answered, strict=True)]
    added = [whole - slowest for whole, slowest in zip(complete, process.slowest, strict=True)]
    return Played(
        busy=min(1.0, worked / last),
        complete=_percentiles(complete),
        added=_percentiles(added),
        calls=len(process.asked) * load.bodies,
        backend_timeout=process.backend_timeout,
        squeezed=process.squeezed,
        platform_timeout=process.platform_timeout,
        rejected=process.rejected,
        waiting=waiting,
        most=process.most,
        connections=process.connections,
        messages=process.messages / len(process.asked),
    )


def _percentiles(values: list[float]) -> tuple[float, float]:
    cuts = quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[98]

"""Topics on brokers of Kafka that are nobody else's, and processes that use them, for the exams of its engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ClassVar, TypeVarTuple

import msgspec
import pytest
import uvloop
from hypothesis import given, settings

from esclusa.engines.kafka.kafka import KafkaEngine
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.instrument import Instrument
from esclusa.testing.exams import Exam, Features, LogExam
from esclusa.testing.exams.sequences import EXAMPLES, Step, steps
from support.brokers import Brokers

Args = TypeVarTuple("Args")
PACE = 20.0
QUICK = {"group_consumer_min_heartbeat_interval_ms": 100}
"""What makes brokers tell groups of changes sooner than they would by themselves."""


class Brisk(Clock):
    """A clock by which `PACE` seconds go by in one of the broker's, beginning with the true time."""

    def __init__(self, *, skew: float = 0.0) -> None:
        super().__init__(skew=skew)
        self._origin -= self._loop.time() * (PACE - 1)

    def now(self) -> float:
        return self._origin + self._loop.time() * PACE

    def millis(self) -> int:
        return int(self.now() * 1000)

    def call_at(self, when: float, callback: Callable[[*Args], object], *args: *Args) -> asyncio.TimerHandle:
        return self._loop.call_at((when - self._origin) / PACE, callback, *args)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return await asyncio.sleep(0)
        over = self._loop.create_future()
        timer = self.call_at(self.now() + seconds, over.set_result, None)
        try:
            await over
        finally:
            timer.cancel()


class Deployed:
    """Processes with topics and groups that nobody else has."""

    features = Features(durable=True, processes=True)

    def __init__(self, configured: KafkaSettings) -> None:
        self._settings = configured
        self._started: list[KafkaEngine] = []

    async def process(self, clock: Clock) -> KafkaEngine:
        """One more process."""
        engine = KafkaEngine(self._settings, clock, Instrument())
        await engine.start()
        self._started.append(engine)
        return engine

    def end(self) -> None:
        """End what still runs."""
        for engine in self._started:
            engine.kill()


class OnKafka(Exam):
    """An exam on the fixture `brokers`, which may have settings that are `QUICK`.

    Its time runs `PACE` times as fast as the brokers': what it waits for by the clock (a time to release, messages that
    expire) comes so much sooner.
    """

    limit = 15.0
    brokers: ClassVar[Brokers]

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def on_the_brokers(cls, brokers: Brokers) -> None:
        """Whoever inherits is on them."""
        cls.brokers = brokers

    def deployment(self) -> AbstractAsyncContextManager[Any]:
        """As `Exam.deployment`: a `Deployed`, whose processes have not every port."""
        return _deployed(self.brokers.settings())

    def clock(self, skew: float = 0.0) -> Clock:
        """As `Exam.clock`."""
        return Brisk(skew=skew)

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        """As `Exam.run`."""
        uvloop.run(main)


class BriskLogExam(OnKafka, LogExam):
    """The exam of the log."""

    def test_groups_are_like_the_model(self) -> None:
        """As in the exam, a few sequences of it: whoever joins or leaves has brokers move partitions, which takes a second."""

        @settings(EXAMPLES, max_examples=2)
        @given(steps(append=8, join=4, commit=6, close=2, stop=1, kill=1))
        def like_the_model(sequence: list[Step]) -> None:
            self.run(self.follow_log(sequence[:30]))

        like_the_model()


@asynccontextmanager
async def _deployed(configured: KafkaSettings) -> AsyncIterator[Deployed]:
    made = Deployed(msgspec.structs.replace(configured, heartbeat=Duration(0.1), session=Duration(3)))
    try:
        yield made
    finally:
        made.end()

"""The engine `kafka`, by the exams of the ports, on a real broker.

One broker serves the whole file, and each deployment has names of its own on it. The exams' time runs `PACE` times as fast
as the broker's: what they wait for by the clock (a time to release, messages that expire) comes so much sooner.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVarTuple

import pytest
import uvloop
from dev.kafka import Kafka
from dev.node import Node
from hypothesis import given, settings

from esclusa.engines.kafka import KafkaSettings
from esclusa.engines.kafka.kafka import KafkaEngine
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import StorageError
from esclusa.kernel.instrument import Instrument
from esclusa.testing.exams import Features, LogExam, UpkeepExam
from esclusa.testing.exams.deployment import raises, swept
from esclusa.testing.exams.members import fill
from esclusa.testing.exams.sequences import EXAMPLES, Step, steps
from esclusa.testing.exams.upkeep import SHORT

pytestmark = pytest.mark.real

Args = TypeVarTuple("Args")
PACE = 20.0
NAMES = itertools.count()


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


class Quick(Kafka):
    """A broker whose groups may hear of changes sooner than brokers let them by themselves."""

    async def prepare(self, jars: Path, folder: Path, count: int) -> list[Node]:
        nodes = await super().prepare(jars, folder, count)
        file = folder / "kafka-1" / "server.properties"
        file.write_text(f"{file.read_text()}group.consumer.min.heartbeat.interval.ms=100\n")
        return nodes


class Broker:
    """One broker, on a loop of its own in a thread of its own: tests have a loop each."""

    def __init__(self, folder: Path) -> None:
        self.addresses: list[str] = []
        self._folder = folder
        self._ready, self._over = threading.Event(), threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="broker")

    async def _serve(self) -> None:
        try:
            async with Quick(self._folder, nodes=1) as kafka:
                self.addresses = kafka.addresses
                self._ready.set()
                await asyncio.get_running_loop().run_in_executor(None, self._over.wait)
        except BaseException as failure:
            self._failure = failure
            raise
        finally:
            self._ready.set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


@pytest.fixture(scope="module", autouse=True)
def _broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with Broker(tmp_path_factory.mktemp("kafka")) as broker:
        OnKafka.servers = broker.addresses
        yield


class OnKafka:
    """Processes on the broker, with topics and groups that nobody else has."""

    features = Features(durable=True, processes=True)
    servers: ClassVar[list[str]]

    def __init__(self) -> None:
        self._settings = KafkaSettings(
            servers=self.servers, prefix=f"{next(NAMES)}.", heartbeat=Duration(0.1), session=Duration(3)
        )
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


@asynccontextmanager
async def kafka() -> AsyncIterator[OnKafka]:
    """New names on the broker."""
    deployment = OnKafka()
    try:
        yield deployment
    finally:
        deployment.end()


class TestLog(LogExam):
    """The log."""

    limit = 15.0

    deployment = staticmethod(kafka)

    def clock(self, skew: float = 0.0) -> Clock:
        return Brisk(skew=skew)

    def run(self, main: Coroutine[Any, Any, None]) -> None:
        uvloop.run(main)

    def test_groups_are_like_the_model(self) -> None:
        """As in the exam, a few sequences of it: whoever joins or leaves has the broker move partitions, which takes a second."""

        @settings(EXAMPLES, max_examples=2)
        @given(steps(append=8, join=4, commit=6, close=2, stop=1, kill=1))
        def like_the_model(sequence: list[Step]) -> None:
            self.run(self.follow_log(sequence[:30]))

        like_the_model()


class TestUpkeep(UpkeepExam):
    """Administration, of an engine that has a log alone."""

    deployment = staticmethod(kafka)

    def clock(self, skew: float = 0.0) -> Clock:
        return Brisk(skew=skew)

    async def test_check_passes_as_often_as_it_is_asked(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            for _ in range(3):
                await process.upkeep.check()
            await process.log.close()
            await raises(StorageError, process.upkeep.check())

    async def test_a_sweep_says_what_is_left_until_nothing_is(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            before = await deployment.process(self.clock(-2 * SHORT.keep))
            await before.upkeep.setup([SHORT])
            await fill(before.log, SHORT, 3000)
            process = await deployment.process(clock)
            await process.upkeep.setup([SHORT])
            assert await swept(process.upkeep, clock.millis()) == 3000
            assert (await process.upkeep.sweep(clock.millis())).deleted == 0

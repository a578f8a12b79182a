"""Real brokers on a loop and a thread of their own, since tests have a loop each; and what can be done to each of them."""

from __future__ import annotations

import asyncio
import itertools
import resource
import threading
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from dev.kafka import Kafka
from dev.node import Node

from esclusa.engines.kafka.kafka import KafkaEngine
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.instrument import Instrument
from support.poll import until

T = TypeVar("T")
PATIENCE = 3.0
"""Seconds that a question to the brokers may take."""
PREFIXES = itertools.count()


class _Told(Kafka):
    """Brokers whose settings are added to."""

    def __init__(self, folder: Path, nodes: int, settings: Mapping[str, object]) -> None:
        super().__init__(folder, nodes)
        self._added = "".join(f"{name}={value}\n" for name, value in settings.items())

    async def prepare(self, jars: Path, folder: Path, count: int) -> list[Node]:
        nodes = await super().prepare(jars, folder, count)
        for node in nodes:
            file = folder / node.name / "server.properties"
            file.write_text(f"{file.read_text()}{self._added}")
        return nodes


class Brokers:
    """A context manager: inside, all of them serve. Brokers are told by their numbers, from 1 on."""

    def __init__(self, folder: Path, nodes: int = 3, **settings: object) -> None:
        """`settings`: further ones of each broker, with `_` where they have a dot."""
        self.numbers = range(1, nodes + 1)
        self.kafka = _Told(folder, nodes, {name.replace("_", "."): value for name, value in settings.items()})
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="brokers")

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        try:
            async with self.kafka:
                self._ready.set()
                await self._over.wait()
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
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    @property
    def addresses(self) -> list[str]:
        """`host:port` of each."""
        return self.kafka.addresses

    # What is done to them.

    async def kill(self, *numbers: int) -> None:
        """As by kill -9."""
        await self._on_their_loop(_all(node.kill() for node in self._nodes(numbers)))

    async def start(self, *numbers: int) -> None:
        """Start those that were killed, and return once they serve, though not all may be there."""
        await self._on_their_loop(_all(node.start() for node in self._nodes(numbers)))
        for number in numbers:
            await until(partial(_serves, self.addresses[number - 1], number), seconds=60)

    def pause(self, *numbers: int) -> None:
        """They are there and say nothing."""
        for node in self._nodes(numbers):
            node.pause()

    def resume(self, *numbers: int) -> None:
        """They go on."""
        for node in self._nodes(numbers):
            node.resume()

    def fill(self, number: int) -> None:
        """No file of this one grows any more, which is what a full disk looks like from inside. Whoever is started has room."""
        pid = self._nodes((number,))[0].pid
        assert pid is not None
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    async def ended(self, number: int) -> None:
        """Return once this one has ended by itself."""
        await asyncio.wait_for(self._on_their_loop(self._nodes((number,))[0].ended()), PATIENCE * 10)

    async def heal(self) -> None:
        """Whatever was done to them, all of them serve, and each has a copy of all that it ought to have."""
        self.resume(*self.numbers)
        dead = [number for number, node in zip(self.numbers, self.kafka.nodes, strict=True) if node.pid is None]
        await self.start(*dead)
        await until(self._whole, seconds=60)

    def _nodes(self, numbers: tuple[int, ...]) -> list[Node]:
        return [self.kafka.nodes[number - 1] for number in numbers]

    async def _on_their_loop(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    # What they say of themselves.

    async def leader(self, topic: str, partition: int) -> int:
        """Who leads a partition."""
        return await leader(self.addresses, topic, partition)

    async def coordinator(self, group: str) -> int:
        """Who coordinates a group."""
        client = _client(self.addresses)  # which answers only as long as somebody has it
        # librdkafka aborts the process where its own time for this runs out.
        answers = client.describe_consumer_groups([group], request_timeout=60)
        return int((await asyncio.wait_for(asyncio.wrap_future(answers[group]), PATIENCE)).coordinator.id)

    async def _whole(self) -> bool:
        try:
            metadata = await _metadata(self.addresses)
        except KafkaException:
            return False
        partitions = [each for topic in metadata.topics.values() for each in topic.partitions.values()]
        return len(metadata.brokers) == len(self.numbers) and all(
            partition.leader > 0 and len(partition.isrs) == len(partition.replicas) for partition in partitions
        )

    # Who uses them.

    def settings(self) -> KafkaSettings:
        """Of an installation that shares its topics with nobody else."""
        return KafkaSettings(servers=self.addresses, prefix=f"{next(PREFIXES)}.")


@asynccontextmanager
async def process(settings: KafkaSettings) -> AsyncIterator[KafkaEngine]:
    """One process's engine."""
    engine = KafkaEngine(settings, Clock(), Instrument())
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


async def leader(addresses: Sequence[str], topic: str, partition: int) -> int:
    """The number of the broker that leads a partition."""
    metadata = await _metadata(addresses, topic)
    return int(metadata.topics[topic].partitions[partition].leader)


async def _metadata(addresses: Sequence[str], topic: str | None = None) -> Any:  # confluent_kafka.admin.ClusterMetadata
    return await asyncio.get_running_loop().run_in_executor(None, _client(addresses).list_topics, topic, PATIENCE)


def _client(addresses: Sequence[str]) -> AdminClient:
    return AdminClient({"bootstrap.servers": ",".join(addresses), "log_level": 0})


async def _all(work: Any) -> None:  # coroutines
    await asyncio.gather(*work)


async def _serves(address: str, number: int) -> bool:
    """Whether a broker says that it is one of them."""
    try:
        return number in (await _metadata([address])).brokers
    except KafkaException:
        return False

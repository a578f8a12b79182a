"""How long each step of a request takes on Kafka and Cassandra: the ports with a stop-watch beside them.

The stop-watch stands between the hub and its ports, so it sees what the hub waits for: an append until it is acknowledged, a
message from its append until it is in the hands of who reads it, a write and a read until they are done.
"""

from __future__ import annotations

import time
from asyncio import Future
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, cast
from uuid import UUID

import msgspec
from msgspec.structs import replace

from bench.latency import AT_ONCE, CONNECTORS, body, urls
from bench.load import a_second, at_once, percentiles
from bench.questions import Asker, Storage, configured, running, runtime
from esclusa.bootstrap import Ports, Runtime, make_connectors
from esclusa.config.settings import Configuration
from esclusa.connectors.answer import Answer, Answered, Ticket
from esclusa.connectors.backend import Question
from esclusa.connectors.connector import Connector
from esclusa.hub.hub import Hub
from esclusa.hub.stored import REQUEST
from esclusa.kernel.message import Message
from esclusa.ports.log import RELEASE, Delivered, Event, Log, Subscription, Topic
from esclusa.ports.records import Records, Row

WARM = 2.0
"""Seconds of load before what is measured."""


class Step(msgspec.Struct, frozen=True):
    """One kind of step."""

    name: str
    each: float
    """How many of it a request takes."""
    p50: float
    """Milliseconds."""
    p99: float


class StopWatch:
    """Seconds of every step, by its name."""

    def __init__(self) -> None:
        self.took: dict[str, list[float]] = defaultdict(list)

    def until(self, name: str, future: Future[Any]) -> None:
        """From now until `future` is done."""
        future.add_done_callback(partial(self._over, name, time.perf_counter()))

    def _over(self, name: str, begun: float, future: Future[Any]) -> None:
        if not future.cancelled() and future.exception() is None:
            self.took[name].append(time.perf_counter() - begun)

    def steps(self, requests: int) -> list[Step]:
        """What was measured since `took` was emptied, in which `requests` were asked."""
        return [
            Step(name, len(took) / requests, *(each * 1e3 for each in percentiles(took)))
            for name in ORDER
            if len(took := self.took[name]) > 1
        ]


SUBMIT, ROW, ENVELOPE, DELIVER, CALL, ANSWERS, COLLECT, ROWS, WAKE, LOOK, READ = ORDER = (
    "submit: whole",
    "submit: the request's row",
    "submit: the envelope appended",
    "the envelope delivered to the connectors",
    "a call, on top of its back end",
    "answers appended",
    "answers delivered to the collector",
    "answers' rows written",
    "a wake-up delivered",
    "a look at the rows",
    "read: the whole result",
)


class WatchedLog:
    """`esclusa.ports.log.Log`."""

    def __init__(self, log: Log, watch: StopWatch) -> None:
        self._log = log
        self._watch = watch
        self._sent: dict[tuple[str, bytes], deque[float]] = defaultdict(deque)

    def append(self, topic: Topic, key: bytes, value: bytes) -> Future[int]:
        """As the port."""
        self._sent[topic.name, key].append(time.perf_counter())
        future = self._log.append(topic, key, value)
        name = {"requests": ENVELOPE, "answers": ANSWERS}.get(topic.name.partition(".")[0])
        if name is not None:
            self._watch.until(name, future)
        return future

    def read(self, topic: Topic, partition: int, since: int, end: int, start: int = 0) -> AsyncIterator[Sequence[Message]]:
        """As the port."""
        return self._log.read(topic, partition, since, end, start)

    async def end(self, topic: Topic, partition: int) -> int:
        """As the port."""
        return await self._log.end(topic, partition)

    async def subscribe(self, topic: Topic, group: str | None, release: float = RELEASE) -> Subscription:
        """As the port."""
        subscription = await self._log.subscribe(topic, group, release)
        return cast("Subscription", WatchedSubscription(subscription, partial(self._delivered, topic)))

    async def close(self) -> None:
        """As the port."""
        await self._log.close()

    def _delivered(self, topic: Topic, messages: Sequence[Message]) -> None:
        now = time.perf_counter()
        name = {"requests": DELIVER, "answers": COLLECT, "wakeups": WAKE}.get(topic.name.partition(".")[0])
        for message in messages:
            sent = self._sent.get((topic.name, message.key))
            if name is not None and sent:
                self._watch.took[name].append(now - sent.popleft())


class WatchedSubscription:
    """A subscription that tells what it delivers."""

    def __init__(self, subscription: Subscription, delivered: Callable[[Sequence[Message]], None]) -> None:
        self._subscription = subscription
        self._delivered = delivered

    def __getattr__(self, name: str) -> Any:
        return getattr(self._subscription, name)

    async def receive(self) -> Event:
        """As the port."""
        event = await self._subscription.receive()
        if isinstance(event, Delivered):
            self._delivered(event.messages)
        return event


class WatchedRecords:
    """`esclusa.ports.records.Records`."""

    def __init__(self, records: Records, watch: StopWatch) -> None:
        self._records = records
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    def put(self, key: bytes, rows: Sequence[Row]) -> Future[None]:
        """As the port."""
        future = self._records.put(key, rows)
        if rows[0].name == REQUEST:
            self._watch.until(ROW, future)
        elif rows[0].body:
            self._watch.until(ROWS, future)
        return future

    def read(self, key: bytes, bodies: bool | Collection[str] = True) -> Future[list[Row]]:
        """As the port."""
        future = self._records.read(key, bodies)
        self._watch.until(LOOK, future)
        return future


class WatchedConnector:
    """A connector that tells how long its calls take, less what the back end says that it took."""

    def __init__(self, connector: Connector, watch: StopWatch) -> None:
        self._connector = connector
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    def offer(self, question: Question, call_by: float, answered: Answered) -> Ticket:
        """As a connector."""
        return self._connector.offer(question, call_by, partial(self._answered, time.perf_counter(), answered))

    def _answered(self, begun: float, answered: Answered, answer: Answer) -> None:
        took = body.decode(answer.data or b"").took / 1e6
        self._watch.took[CALL].append(time.perf_counter() - begun - took)
        answered(answer)


class WatchedAsker(Asker):
    """Somebody who asks by the stop-watch."""

    def __init__(self, hub: Hub, watch: StopWatch) -> None:
        super().__init__(hub)
        self._watch = watch

    async def submit(self) -> UUID:
        """As any asker."""
        begun = time.perf_counter()
        id = await super().submit()
        self._watch.took[SUBMIT].append(time.perf_counter() - begun)
        return id

    async def read(self, id: UUID) -> Any:
        """As any asker."""
        begun = time.perf_counter()
        snapshot = await super().read(id)
        self._watch.took[READ].append(time.perf_counter() - begun)
        return snapshot


async def steps(addresses: Sequence[str], storage: Storage, rate: float, seconds: float) -> list[Step]:
    """Every step at `rate` calls a second, of requests that come at random."""
    watch = StopWatch()

    def make(settings: Configuration, ours: Runtime) -> Mapping[str, Connector]:
        made = make_connectors(settings, ours)
        return {name: cast("Connector", WatchedConnector(each, watch)) for name, each in made.items()}

    def beside(ports: Ports) -> Ports:
        return replace(ports, log=WatchedLog(ports.log, watch), records=cast("Records", WatchedRecords(ports.records, watch)))

    settings = configured(urls(addresses), [AT_ONCE] * CONNECTORS, storage=storage)
    async with runtime() as ours, running(settings, ours, make, watch=beside) as hub:
        asker = WatchedAsker(hub, watch)
        await at_once(asker, CONNECTORS, 2, WARM)
        watch.took.clear()
        answers = await a_second(asker, rate / CONNECTORS, round(rate / CONNECTORS * seconds))
        return watch.steps(len(answers))

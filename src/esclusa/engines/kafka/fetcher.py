"""Fetching messages of partitions that somebody else has chosen: a consumer in no group, with a thread of its own.

The thread waits with `poll` for the first message and takes with `consume(n, 0)` what else is at hand: `consume(n, t)`
would wait until it has n. A consumer's calls take turns (a lock that `poll` holds), so all of them are made in the thread,
and what others want of it is handed to it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka import Message as Fetched

from esclusa.engines.kafka.client import Config, Voice, tell
from esclusa.kernel.message import Message

BATCH = 256
"""Messages in one batch, at most."""
BATCH_BYTES = 256 << 10
"""Bytes after which a batch takes no further message."""
AT_ONCE = 1000
"""Messages taken from the client in one turn."""
ROOM = 2 << 20
"""Bytes that may wait to be received; beyond, nothing more is taken from the client, whose own queue is bounded too."""
ENTRY = 100
"""Bytes that a message counts beside its value."""
POLL = 0.05
"""Seconds that a wish may wait while there are no messages."""
IDLE = 1.0

C = TypeVar("C")
Batch = tuple[C, list[Message], int]
"""For whom, what, and how many bytes it counts."""


class Fetcher(Generic[C]):
    """Hands over, on the loop, the messages of each partition that was started, in order, with the claim it was started for."""

    def __init__(self, config: Config, voice: Voice, topic: str, came: Callable[[list[Batch[C]]], None]) -> None:
        """`came`: called on the loop; what it was given is given back, when it has gone, by `taken`."""
        self._config = config
        self._voice = voice
        self._topic = topic
        self._came = came
        self._loop = asyncio.get_running_loop()
        self._wishes: SimpleQueue[tuple[int, tuple[int, C] | None] | None] = SimpleQueue()
        self._claims: dict[int, C] = {}
        self._given = 0
        self._gone = 0
        self._closed = False
        self.ended: asyncio.Future[None] = self._loop.create_future()
        """Done when the thread is."""
        self._thread = threading.Thread(target=self._run, name="esclusa-kafka-fetch", daemon=True)
        self._thread.start()

    def start(self, number: int, position: int, claim: C) -> None:
        """Fetch a partition from `position` on, for `claim`."""
        self._wishes.put((number, (position, claim)))

    def stop(self, number: int) -> None:
        """Fetch a partition no longer."""
        self._wishes.put((number, None))

    def taken(self, size: int) -> None:
        """So many bytes that were handed over have gone."""
        full = self._full
        self._gone += size
        if full and not self._full:
            self._wishes.put(None)

    @property
    def _full(self) -> bool:
        return self._given - self._gone > ROOM

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._wishes.put(None)

    def _run(self) -> None:
        try:
            consumer = Consumer(self._config, logger=self._voice)
            try:
                while not self._closed:
                    self._turn(consumer)
            finally:
                consumer.close()
        except KafkaException as error:
            self._voice.error("fetching %s: %s", self._topic, error)
        tell(self._loop, _end, self.ended)

    def _turn(self, consumer: Consumer) -> None:
        self._do(consumer, self._wished(wait=self._full or not self._claims))
        if self._full or not self._claims or self._closed:
            return
        first = consumer.poll(POLL)
        if first is not None:
            self._hand_over([first, *consumer.consume(AT_ONCE - 1, 0)])

    def _wished(self, *, wait: bool) -> dict[int, tuple[int, C] | None]:
        """What is to become of which partitions: the last word on each."""
        wishes: dict[int, tuple[int, C] | None] = {}
        try:
            wish = self._wishes.get(timeout=IDLE) if wait else self._wishes.get_nowait()
            while True:
                if wish is not None:
                    wishes[wish[0]] = wish[1]
                wish = self._wishes.get_nowait()
        except Empty:
            return wishes

    def _do(self, consumer: Consumer, wishes: Mapping[int, tuple[int, C] | None]) -> None:
        """All at once: a partition that is added alone waits until the fetch request that is on its way is answered."""
        stopped = [TopicPartition(self._topic, number) for number in wishes if self._claims.pop(number, None) is not None]
        started = {number: start for number, start in wishes.items() if start is not None}
        if stopped:
            consumer.incremental_unassign(stopped)
        if started:
            self._claims |= {number: claim for number, (_, claim) in started.items()}
            consumer.incremental_assign([TopicPartition(self._topic, number, start[0]) for number, start in started.items()])

    def _hand_over(self, fetched: list[Fetched[Any, Any]]) -> None:
        batches: list[Batch[C]] = []
        claim: C | None = None
        messages: list[Message] = []
        size, last = 0, -1
        for one in fetched:
            error = one.error()
            if error is not None:
                self._voice.warning("fetching %s: %s", self._topic, error.str())
                continue
            number = one.partition() or 0
            if number != last or size > BATCH_BYTES or len(messages) >= BATCH:
                if claim is not None:
                    batches.append((claim, messages, size))
                claim, messages, size, last = self._claims.get(number), [], 0, number
            message = read(one)
            messages.append(message)
            size += len(message.value) + ENTRY
        if claim is not None:
            batches.append((claim, messages, size))
        self._given += sum(size for _, _, size in batches)
        if batches and not tell(self._loop, self._came, batches):
            self._closed = True


def read(fetched: Fetched[Any, Any]) -> Message:
    """A message as the port has it."""
    return Message(fetched.offset() or 0, fetched.timestamp()[1], fetched.key() or b"", fetched.value() or b"")


def _end(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)

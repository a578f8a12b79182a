"""Being a member of a consumer group, and nothing else: partitions are given and taken away, positions are committed.

Messages are fetched by somebody else (`fetcher`): so a member that has to wait until a partition is released, which it
must do inside librdkafka's callback, holds up neither the messages of its other partitions nor commits. Its own consumer
has every partition paused.

All calls of the consumer are made in one thread. They take turns anyway (a lock that `poll` holds, callbacks included), so
a commit from another thread would wait for a revocation that itself waits for the commit.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Protocol

from confluent_kafka import OFFSET_END, Consumer, KafkaException, TopicPartition

from esclusa.engines.kafka.client import PATIENCE, Config, Voice, tell, unavailable
from esclusa.kernel.errors import Closed, StorageUnavailable

LOOK = 0.05
"""Seconds after which a member hears what the group wants of it."""

Offsets = dict[int, int]
Wish = tuple[Callable[[Consumer], Offsets], "concurrent.futures.Future[Offsets]"]


class Letting:
    """Partitions that are being taken away, until each has been let go. `done` is called on the loop."""

    def __init__(self, numbers: Sequence[int], wake: Callable[[], None]) -> None:
        self.open = set(numbers)
        self._wake = wake

    def done(self, number: int) -> None:
        """This one has been let go."""
        self.open.discard(number)
        if not self.open:
            self._wake()


class Listener(Protocol):
    """Who is told, on the loop, what becomes of the member."""

    def given(self, numbers: Sequence[int]) -> None:
        """These partitions are the member's."""

    def revoked(self, numbers: Sequence[int], letting: Letting) -> None:
        """These are being taken away; they are the member's until `letting` is done with them."""

    def lost(self, numbers: Sequence[int]) -> None:
        """These have been taken away."""


class Membership:
    """A member of the group `config["group.id"]`, of one topic."""

    def __init__(self, config: Config, voice: Voice, topic: str, listener: Listener) -> None:
        self._config = config
        self._voice = voice
        self._topic = topic
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._wishes: SimpleQueue[Wish | None] = SimpleQueue()
        self._closed = False
        self.ended: asyncio.Future[None] = self._loop.create_future()
        """Done when the thread is, and the group has been left."""
        self._thread = threading.Thread(target=self._run, name="esclusa-kafka-member", daemon=True)
        self._thread.start()

    def commit(self, positions: Mapping[int, int]) -> concurrent.futures.Future[Offsets]:
        """Commit positions of partitions that are the member's; `StorageUnavailable` when that is not known to be done."""
        places = [TopicPartition(self._topic, number, position) for number, position in positions.items()]

        def commit(consumer: Consumer) -> Offsets:
            return _offsets(consumer.commit(offsets=places, asynchronous=False))

        return self._wish(commit)

    def committed(self, numbers: Sequence[int]) -> concurrent.futures.Future[Offsets]:
        """What the group has committed; negative where it has not."""
        places = [TopicPartition(self._topic, number) for number in numbers]

        def committed(consumer: Consumer) -> Offsets:
            return _offsets(consumer.committed(places, timeout=PATIENCE))

        return self._wish(committed)

    def _wish(self, work: Callable[[Consumer], Offsets]) -> concurrent.futures.Future[Offsets]:
        future: concurrent.futures.Future[Offsets] = concurrent.futures.Future()
        if self._closed:
            future.set_exception(Closed("the subscription is closed"))
        else:
            self._wishes.put((work, future))
        return future

    def close(self) -> None:
        """Leave the group; `ended` tells when that is done."""
        self._closed = True
        self._wishes.put(None)

    def _run(self) -> None:
        try:
            consumer = Consumer(self._config, logger=self._voice)
            try:
                consumer.subscribe([self._topic], on_assign=self._given, on_revoke=self._revoked, on_lost=self._lost)
                while not self._closed:
                    self._serve(consumer)
                    said = consumer.poll(0)
                    if said is not None and (error := said.error()) is not None:
                        self._voice.warning("group of %s: %s", self._topic, error.str())
            finally:
                consumer.close()
        except KafkaException as error:
            self._voice.error("group of %s: %s", self._topic, error)
        self._closed = True
        self._refuse()
        tell(self._loop, _end, self.ended)

    def _serve(self, consumer: Consumer) -> None:
        """Do what is wished for; wait a moment if it is nothing."""
        try:
            wish = self._wishes.get(timeout=LOOK)
            while True:
                if wish is not None:
                    _do(consumer, *wish)
                wish = self._wishes.get_nowait()
        except Empty:
            pass

    def _refuse(self) -> None:
        while not self._wishes.empty():
            wish = self._wishes.get()
            if wish is not None and wish[1].set_running_or_notify_cancel():
                wish[1].set_exception(Closed("the subscription is closed"))

    def _given(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        at_end = [TopicPartition(place.topic, place.partition, OFFSET_END) for place in places]
        consumer.incremental_assign(at_end)
        if at_end:
            consumer.pause(at_end)
            self._tell(self._listener.given, _numbers(places))

    def _revoked(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        if places and not self._closed:
            over = threading.Event()

            def wake() -> None:
                over.set()
                self._wishes.put(None)

            self._tell(self._listener.revoked, _numbers(places), Letting(_numbers(places), wake))
            while not over.is_set() and not self._closed:
                self._serve(consumer)
        consumer.incremental_unassign(places)

    def _lost(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        if places:
            self._tell(self._listener.lost, _numbers(places))
        consumer.incremental_unassign(places)

    def _tell(self, callback: Callable[..., None], *arguments: object) -> None:
        if not tell(self._loop, callback, *arguments):
            self._closed = True


def _do(consumer: Consumer, work: Callable[[Consumer], Offsets], future: concurrent.futures.Future[Offsets]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work(consumer))
    except StorageUnavailable as error:
        future.set_exception(error)
    except (KafkaException, RuntimeError) as error:
        future.set_exception(unavailable(error))


def _offsets(places: list[TopicPartition]) -> Offsets:
    for place in places:
        if place.error is not None:
            raise unavailable(place.error)
    return {place.partition: place.offset for place in places}


def _numbers(places: list[TopicPartition]) -> list[int]:
    return [place.partition for place in places]


def _end(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)

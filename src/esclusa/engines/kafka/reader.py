"""Reading a stretch of a partition, past all groups: a consumer for that alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as Fetched

from esclusa.engines.kafka.client import PATIENCE, Config, Voice, unavailable
from esclusa.engines.kafka.fetcher import BATCH, read
from esclusa.kernel.errors import StorageUnavailable
from esclusa.kernel.message import Message

BEHIND = "kafka: a broker has been asked that does not know of the last messages"
"""Said of one that was stopped, or cut off, and has not heard yet that another one leads."""
AHEAD = 1024
"""Kilobytes that are fetched ahead of who reads; a batch has no more than that and one message."""


async def stretch(
    config: Config, voice: Voice, topic: str, number: int, start: int, end: int
) -> AsyncIterator[Sequence[Message]]:
    """What stands from `start` on, below `end`, which is there already; in order, by batches.

    `StorageUnavailable` when nothing comes for `PATIENCE` seconds, and when it is read from a broker that doesn't know of
    all of it. What was deleted is passed over.
    """
    loop = asyncio.get_running_loop()
    ahead = {"enable.partition.eof": True, "queued.max.messages.kbytes": AHEAD}
    try:
        consumer = Consumer(config | ahead, logger=voice)
    except KafkaException as error:
        raise unavailable(error) from error
    try:
        consumer.assign([TopicPartition(topic, number, start)])
        reached: int | None = None
        while reached is None:
            fetched = await loop.run_in_executor(None, _take, consumer)
            if not fetched:
                raise StorageUnavailable("kafka: the brokers don't answer")
            batch, reached = _sorted(fetched, start, end)
            if batch:
                yield batch
        if reached < end:
            raise StorageUnavailable(BEHIND)
    except KafkaException as error:
        raise unavailable(error) from error
    finally:
        loop.run_in_executor(None, consumer.close)  # it takes its turn after a `_take` that nobody waits for any more


def _take(consumer: Consumer) -> list[Fetched[Any, Any]]:
    first = consumer.poll(PATIENCE)
    return [] if first is None else [first, *consumer.consume(BATCH - 1, 0)]


def _sorted(fetched: Sequence[Fetched[Any, Any]], start: int, end: int) -> tuple[list[Message], int | None]:
    """The messages from `start` on, below `end`; and `end` or where the broker has no more, if that has been reached."""
    batch: list[Message] = []
    for one in fetched:
        error = one.error()
        if error is None:
            message = read(one)
            if start <= message.offset < end:
                batch.append(message)
            if message.offset >= end - 1:
                return batch, end
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
            return batch, one.offset()
        elif not error.retriable():
            raise unavailable(error)
    return batch, None

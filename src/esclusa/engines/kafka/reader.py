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

AHEAD = 1024
"""Kilobytes that are fetched ahead of who reads; a batch has no more than that and one message."""


async def stretch(
    config: Config, voice: Voice, topic: str, number: int, start: int, end: int
) -> AsyncIterator[Sequence[Message]]:
    """What stands from `start` on, below `end`, which is there already; in order, by batches.

    `StorageUnavailable` when nothing comes for `PATIENCE` seconds.
    """
    loop = asyncio.get_running_loop()
    ahead = {"enable.partition.eof": True, "queued.max.messages.kbytes": AHEAD}
    try:
        consumer = Consumer(config | ahead, logger=voice)
    except KafkaException as error:
        raise unavailable(error) from error
    try:
        consumer.assign([TopicPartition(topic, number, start)])
        position = start
        while position < end:
            fetched = await loop.run_in_executor(None, _take, consumer)
            if not fetched:
                raise StorageUnavailable("kafka: the brokers don't answer")
            batch, over = _sorted(fetched, end)
            if batch:
                yield batch
                position = batch[-1].offset + 1
            if over:
                return
    except KafkaException as error:
        raise unavailable(error) from error
    finally:
        loop.run_in_executor(None, consumer.close)  # it takes its turn after a `_take` that nobody waits for any more


def _take(consumer: Consumer) -> list[Fetched[Any, Any]]:
    first = consumer.poll(PATIENCE)
    return [] if first is None else [first, *consumer.consume(BATCH - 1, 0)]


def _sorted(fetched: Sequence[Fetched[Any, Any]], end: int) -> tuple[list[Message], bool]:
    """The messages below `end`, and whether there is no more: what was there has been deleted since."""
    batch = []
    for one in fetched:
        error = one.error()
        if error is None:
            message = read(one)
            if message.offset < end:
                batch.append(message)
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
            return batch, True
        elif not error.retriable():
            raise unavailable(error)
    return batch, False

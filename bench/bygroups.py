"""The same page as a team would build it by the source document: a Kafka consumer group for each back end, and no hub.

One topic of requests and one of answers. Each of the connectors is a consumer group: it reads every request, calls its back
end and appends what that says; one more consumer gathers the answers in memory for whoever waits. Nothing is stored but in
Kafka, nothing is encrypted, limited or logged, and a request that nobody answers waits for ever.

With aiokafka, and not with FastStream: both are alive in late 2026, and FastStream runs on aiokafka and adds to what a
message costs (its own types, middleware, a context for each), so this is the faster of the two. With confluent-kafka
sixty consumers are some 250 threads. What can be tuned is: uvloop, msgspec for JSON, batches wherever there is more than one
message, positions committed in the background every five seconds, requests sent 2 ms late to share a batch.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any
from uuid import uuid4

import msgspec
from aiohttp import ClientSession
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer  # type: ignore[import-untyped]  # it has no types
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]  # as above

from bench import byhand

PARTITIONS = 8
LINGER_MS = 2
"""Milliseconds."""
APPEAR = 1.0
"""Seconds until brokers that have made a topic serve it."""


class Question(msgspec.Struct):
    """A request, on its topic."""

    id: str
    subject: str


class Said(msgspec.Struct):
    """An answer, on its topic."""

    id: str
    connector: int
    data: msgspec.Raw


class Page:
    """Who asks, and waits for all answers."""

    def __init__(self, producer: AIOKafkaProducer, requests: str, connectors: int) -> None:
        self._producer = producer
        self._requests = requests
        self._connectors = connectors
        self._answers: dict[str, list[Any]] = {}
        self._waiting: dict[str, asyncio.Future[None]] = {}

    async def ask(self) -> list[Any]:
        """What everyone has answered, decoded."""
        id = uuid4().hex
        answers = self._answers[id] = []
        waiting = self._waiting[id] = asyncio.get_running_loop().create_future()
        await self._producer.send(self._requests, msgspec.json.encode(Question(id, "12345678Z")), key=id.encode())
        await waiting
        del self._answers[id], self._waiting[id]
        return answers

    async def gather(self, consumer: AIOKafkaConsumer) -> None:
        """Take answers for ever."""
        decoder = msgspec.json.Decoder(Said)
        while True:
            for messages in (await consumer.getmany(timeout_ms=1000)).values():
                for message in messages:
                    said = decoder.decode(message.value)
                    answers = self._answers[said.id]
                    answers.append(msgspec.json.decode(said.data))
                    if len(answers) == self._connectors:
                        self._waiting[said.id].set_result(None)


class GroupConnector:
    """One back end's consumer group."""

    def __init__(self, number: int, url: str, session: ClientSession, producer: AIOKafkaProducer, answers: str) -> None:
        self._number = number
        self._url = url
        self._session = session
        self._producer = producer
        self._answers = answers
        self._calls: set[asyncio.Task[None]] = set()

    async def run(self, consumer: AIOKafkaConsumer) -> None:
        """Take requests for ever, each called at once."""
        decoder = msgspec.json.Decoder(Question)
        while True:
            for messages in (await consumer.getmany(timeout_ms=1000)).values():
                for message in messages:
                    call = asyncio.get_running_loop().create_task(self._call(decoder.decode(message.value)))
                    self._calls.add(call)
                    call.add_done_callback(self._calls.discard)

    async def _call(self, question: Question) -> None:
        async with self._session.get(self._url) as response:
            data = await response.read()
        said = msgspec.json.encode(Said(question.id, self._number, msgspec.Raw(data)))
        await self._producer.send(self._answers, said, key=question.id.encode())


@asynccontextmanager
async def page(servers: Sequence[str], urls: Sequence[str]) -> AsyncIterator[Page]:
    """All of it in this process, on topics of its own, for as long as this lasts."""
    requests, answers = (f"by-groups.{kind}.{uuid4().hex[:8]}" for kind in ("requests", "answers"))
    addresses = list(servers)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # groups whose coordinator is still being chosen are warned of
    admin = AIOKafkaAdminClient(bootstrap_servers=addresses)
    await admin.start()
    await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in (requests, answers)])
    await admin.close()
    await asyncio.sleep(APPEAR)
    async with AsyncExitStack() as stack:
        producer = AIOKafkaProducer(
            bootstrap_servers=addresses, acks="all", enable_idempotence=True, linger_ms=LINGER_MS, max_batch_size=1 << 18
        )
        await stack.enter_async_context(producer)
        session = await stack.enter_async_context(byhand.session())
        consume = partial(AIOKafkaConsumer, bootstrap_servers=addresses, auto_offset_reset="earliest", enable_auto_commit=True)
        it = Page(producer, requests, len(urls))
        connectors = [GroupConnector(number, url, session, producer, answers) for number, url in enumerate(urls)]
        consumers = [consume(requests, group_id=f"{requests}.{number}") for number in range(len(urls))]
        gatherer = consume(answers, group_id=f"{answers}.gatherer")
        for consumer in (*consumers, gatherer):
            stack.push_async_callback(consumer.stop)
        await asyncio.gather(*(consumer.start() for consumer in (*consumers, gatherer)))
        running = [asyncio.ensure_future(it.gather(gatherer))]
        running += [asyncio.ensure_future(each.run(its)) for each, its in zip(connectors, consumers, strict=True)]
        try:
            yield it
        finally:
            for task in running:
                task.cancel()
            await asyncio.wait(running)

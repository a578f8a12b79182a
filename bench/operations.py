"""What each operation on Kafka and Cassandra costs its client: alone, again and again, several at a time.

The operations are those that a request to sixty bodies takes, in their usual sizes. `steps` says how many of each.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterator
from itertools import count, cycle

import msgspec

from bench.load import at_once
from bench.questions import Storage, configured, runtime
from esclusa.bootstrap import freeze_memory, make_setup, open_ports
from esclusa.hub import pack
from esclusa.hub.stored import REQUEST, VERSION, AnswerHead, Answers
from esclusa.hub.topics import pool_topics
from esclusa.kernel.errors import Closed
from esclusa.kernel.lifecycle import Lifecycle
from esclusa.ports.log import Log, Subscription, Topic
from esclusa.ports.records import Row

CONNECTORS = 60
WIDTH = 8
"""Operations at a time."""
WARM = 0.5
"""Seconds of each before it is measured."""
KEEP_MS = 600_000
"""Milliseconds until rows expire."""
ENVELOPE, DATA = b"e" * 1100, 300
"""As long as it is for sixty bodies; and what each of them finds, in bytes."""
PACKS = 6
"""In so many messages, and rows, do sixty answers travel that come over sixty milliseconds."""


class Operation(msgspec.Struct, frozen=True):
    """One kind."""

    name: str
    micros: float
    """Of processor time, all threads together, for one."""


async def operations(storage: Storage, seconds: float) -> list[Operation]:
    """All of them, so many seconds each."""
    settings = configured([], [], storage=storage)
    topics = pool_topics(settings.pools, settings.queries)["default"]
    async with runtime() as ours:
        ports = open_ports(settings, ours)
        async with Lifecycle([*ports.engines, make_setup(settings, ports)]):
            freeze_memory()
            expires = ours.clock.millis() + KEEP_MS
            own = Row(REQUEST, ENVELOPE, b"", expires)
            everyone = _pack(CONNECTORS, 0, expires)
            few = [_pack(CONNECTORS // PACKS, place, expires) for place in range(PACKS)]
            known = os.urandom(16)
            await ports.records.put(known, [own, *few])
            keys = (number.to_bytes(16, "big") for number in count(1))
            append = appending(ports.log, topics.requests, ENVELOPE)
            answers = appending(ports.log, topics.answers, everyone.head + everyone.body)
            # With somebody who listens first: a new group begins at the earliest message, and would have to catch up.
            subscription = await ports.log.subscribe(topics.requests, "bench")
            listening = asyncio.ensure_future(_listen(subscription))
            both = await _cost(append, seconds)
            await subscription.close()
            await listening
            alone = await _cost(append, seconds)
            return [
                Operation("an envelope appended", alone),
                Operation("an envelope delivered", both - alone),
                *[
                    Operation(name, await _cost(operation, seconds))
                    for name, operation in (
                        (f"{CONNECTORS} answers appended in a message", answers),
                        ("a request's row written", lambda: ports.records.put(next(keys), [own])),
                        (f"a row of {CONNECTORS // PACKS} answers written", lambda: ports.records.put(next(keys), few[:1])),
                        (f"a row of {CONNECTORS} answers written", lambda: ports.records.put(next(keys), [everyone])),
                        (f"a look at a request with {PACKS} rows of answers", lambda: ports.records.read(known, bodies=False)),
                        ("the same rows read with their bodies", lambda: ports.records.read(known)),
                    )
                ],
            ]


def _pack(answers: int, offset: int, expires: int) -> Row:
    heads = [AnswerHead(f"body{offset}-{number}", None, "", 1, 80, DATA) for number in range(answers)]
    return pack.row("default", 0, offset, expires - KEEP_MS, Answers(VERSION, b"", expires, heads, bytes(DATA * answers)))


def appending(log: Log, topic: Topic, value: bytes) -> Callable[[], Awaitable[int]]:
    """Appends to each partition in turn."""
    keys: Iterator[bytes] = cycle([bytes([number]) * 16 for number in range(64)])
    return lambda: log.append(topic, next(keys), value)


async def _cost(operation: Callable[[], Awaitable[object]], seconds: float) -> float:
    async def ask() -> object:
        return await operation()

    await at_once(ask, 1, WIDTH, WARM)
    cost = await at_once(ask, 1, WIDTH, seconds)
    return cost.cpu / cost.calls * 1e6


async def _listen(subscription: Subscription) -> None:
    with contextlib.suppress(Closed):
        while True:
            await subscription.receive()

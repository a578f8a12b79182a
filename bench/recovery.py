"""A minute of backlog: connectors come back after a minute, in which half of the questions were answered, and all remained.

The worst that can be: in every partition the first question is still open, so the position of the group has stayed at the
minute's beginning. Whoever is given the partitions now has to read a minute of answers to learn who has been asked, and then
to ask the rest. Nobody waits for the questions meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from bench.load import Watch
from bench.questions import CONNECTORS_ALONE, ELSEWHERE, ME, QUERY, Storage, configured, people, running, runtime, url
from bench.throughput import CONNECTORS, urls
from esclusa.bootstrap import Runtime
from esclusa.hub.hub import Hub
from esclusa.hub.settings import QuerySettings
from esclusa.hub.submission import Submission
from esclusa.kernel.duration import Duration

A_SECOND = 25
"""Questions, in the minute that the backlog is of."""
MINUTE = 60
HUNG_MS = 50_000
"""Milliseconds that the slow back end takes: longer than any of this."""
HOLDING = 64
"""Questions that only the slow back end is asked: enough for each partition to have one."""
WIDTH = 64
"""Calls in the air of each connector, and questions submitted at a time."""
LOOK = 0.005
"""Seconds between two looks at how far it is."""
PATIENCE = 120.0


class Recovery(msgspec.Struct, frozen=True):
    """From the start of a process with connectors on, in seconds."""

    requests: int
    """That stand in the log; half of them have been answered."""
    calls: int
    """That are left."""
    first: float
    """Until the first new answer is a row."""
    whole: float
    """Until all are."""
    micros: float
    """Of processor time for each of the calls that were left, what is read included."""


async def recovery(addresses: Sequence[str], storage: Storage) -> Recovery:
    """Stop the connectors after half of the minute, and start them after the other half."""
    fast = urls(addresses)
    slow = url(addresses[CONNECTORS], CONNECTORS, HUNG_MS)
    query = QuerySettings(ttl=Duration(300), keep=Duration(600))
    settings = configured([*fast, slow], [WIDTH] * len(fast) + [HOLDING], storage=storage, query=query)
    half = A_SECOND * MINUTE // 2
    subjects = people()
    bodies = list(settings.connectors)
    async with runtime() as ours, running(settings, ours, roles=ELSEWHERE) as hub, asyncio.timeout(PATIENCE):
        async with runtime() as first, running(settings, first, roles=CONNECTORS_ALONE):
            await _submit(hub, islice(subjects, HOLDING), bodies[CONNECTORS:])
            await _submit(hub, islice(subjects, half), bodies[:CONNECTORS])
            await _collected(ours, half * CONNECTORS)
        await _submit(hub, islice(subjects, half), bodies[:CONNECTORS])
        watch = Watch()
        async with runtime() as second, running(settings, second, roles=CONNECTORS_ALONE):
            await _collected(ours, half * CONNECTORS + 1)
            begun = watch.cost(1)
            await _collected(ours, 2 * half * CONNECTORS)
            whole = watch.cost(half * CONNECTORS)
    return Recovery(2 * half, whole.calls, begun.seconds, whole.seconds, whole.cpu / whole.calls * 1e6)


async def _submit(hub: Hub, subjects: Iterator[str], connectors: list[str]) -> None:
    """A question each."""

    async def asker() -> None:
        for subject in subjects:
            await hub.submit(Submission(caller=ME, query=QUERY, subject=subject, connectors=connectors))

    await asyncio.gather(*(asker() for _ in range(WIDTH)))


async def _collected(runtime: Runtime, answers: int) -> None:
    """Wait until so many have been written."""
    counter = runtime.instrument.counters["esclusa_hub_collected_total"]
    while sum(counter.values.values()) < answers:  # noqa: ASYNC110 - nobody is told of a counter
        await asyncio.sleep(LOOK)

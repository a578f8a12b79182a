"""A process that appends to every partition of a topic and works on what comes, while something is done to its brokers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from esclusa.engines.kafka.kafka import KafkaEngine
from esclusa.engines.kafka.producer import ROOM
from esclusa.engines.kafka.settings import KafkaSettings
from esclusa.kernel.errors import StorageUnavailable
from esclusa.ports.log import Topic
from support.brokers import Brokers, process
from support.log_ledger import LogLedger
from support.log_worker import GROUP, LogWorker
from support.measured import measured, resident

TOPIC = Topic("faults", partitions=4)
FLOOD = Topic("flood")
BACK = 60.0
"""Seconds in which all is as before once the brokers are: those whose controller died as well have been seen to take 38."""


class LogScene:
    """One process that appends to every partition, and works."""

    def __init__(self, brokers: Brokers, engine: KafkaEngine, settings: KafkaSettings, ledger: LogLedger) -> None:
        self.brokers = brokers
        self.engine = engine
        self.settings = settings
        self.ledger = ledger

    async def flows(self, what: str, within: float) -> None:
        """Wait until appends are acknowledged and worked on, in every partition."""
        await self.ledger.flows(what, within=within)

    async def leader(self) -> int:
        """Who leads the first partition."""
        return await self.brokers.leader(self.engine.log.name(TOPIC), 0)

    async def coordinator(self) -> int:
        """Who coordinates the workers."""
        return await self.brokers.coordinator(self.engine.log.group(TOPIC, GROUP))

    async def flood(self) -> int:
        """Append until there is no room: how many were acknowledged. None waits for long, and memory is bounded."""
        loop, before = asyncio.get_running_loop(), resident()
        taken: list[asyncio.Future[int]] = []
        begun = loop.time()
        while not (appending := self.engine.log.append(FLOOD, b"key", bytes(1000))).done():
            taken.append(appending)
            if len(taken) % 1000 == 0:
                await asyncio.sleep(0)
        with pytest.raises(StorageUnavailable):
            await appending
        outcomes = await asyncio.gather(*taken, return_exceptions=True)
        measured(f"{len(taken)} appends of a flood are answered", loop.time() - begun)
        assert all(isinstance(outcome, int | StorageUnavailable) for outcome in outcomes)
        assert loop.time() - begun < 6.0
        assert len(taken) * 1000 <= ROOM
        assert resident() - before < 4 * ROOM
        return sum(isinstance(outcome, int) for outcome in outcomes)


@asynccontextmanager
async def log_scene(brokers: Brokers) -> AsyncIterator[LogScene]:
    """Appends and work flow when it is entered; when it is left, all that was acknowledged has been finished, and it fits."""
    settings, ledger = brokers.settings(), LogLedger(TOPIC)
    await brokers.heal()
    async with process(settings) as engine:
        await engine.upkeep.setup([TOPIC, FLOOD])
        worker = LogWorker("own", await engine.log.subscribe(TOPIC, GROUP), ledger.note)
        appending = [asyncio.ensure_future(ledger.append(engine.log, number)) for number in range(TOPIC.partitions)]
        try:
            await ledger.flows("begun", within=BACK)
            yield LogScene(brokers, engine, settings, ledger)
            ledger.end()
            await asyncio.gather(*appending)
            await ledger.finished(within=BACK)
            await worker.leave()
            await brokers.heal()  # one that stood still says for a moment what was true before
            await ledger.check(engine.log)
        finally:
            for task in appending:
                task.cancel()
            await asyncio.gather(*appending, return_exceptions=True)
            measured(f"{ledger}; slowest append", ledger.longest)
            await brokers.heal()

"""A hub and its connectors in processes of their own, one to three of these, all on the measured core."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from multiprocessing.synchronize import Event
from pathlib import Path

import msgspec
import uvloop

from bench.load import at_once
from bench.questions import CONNECTORS_ALONE, ELSEWHERE, Asker, Storage, configured, running, runtime
from bench.throughput import CONNECTORS, urls
from esclusa.config.settings import Configuration

PROCESSES = (1, 2, 3)
WIDTH = 32
"""Open requests: enough for all of them."""
WARM = 4.0
"""Seconds before what is measured: the processes find each other."""
PATIENCE = 30.0
"""Seconds that a process may take to start."""
TICKS = os.sysconf("SC_CLK_TCK")


class Shared(msgspec.Struct, frozen=True):
    """What so many connector processes and one for all else came to."""

    processes: int
    rate: float
    """Calls a second."""
    connectors: float
    """Microseconds of processor time a call, in all connector processes."""
    elsewhere: float
    """In the one that submits, collects and reads."""
    memory: float
    """MiB that the largest connector process has held at a time."""


async def of_processes(addresses: Sequence[str], storage: Storage, count: int, seconds: float) -> Shared:
    """So many connector processes."""
    settings = configured(urls(addresses), [WIDTH] * CONNECTORS, storage=storage)
    async with (
        runtime() as ours,
        running(settings, ours, roles=ELSEWHERE) as hub,
        connector_processes(settings, count) as processes,
    ):
        asker = Asker(hub)
        await at_once(asker, CONNECTORS, WIDTH, WARM)
        before = sum(map(_cpu, processes))
        cost = await at_once(asker, CONNECTORS, WIDTH, seconds)
        theirs = sum(map(_cpu, processes)) - before
        largest = max(map(_memory, processes))
        return Shared(count, cost.calls / cost.seconds, theirs / cost.calls * 1e6, cost.cpu / cost.calls * 1e6, largest)


@asynccontextmanager
async def connector_processes(settings: Configuration, count: int) -> AsyncIterator[list[int]]:
    """The process ids of `count` processes that have this one's core and run the connectors, for as long as this lasts."""
    spawn = multiprocessing.get_context("spawn")
    started = [spawn.Event() for _ in range(count)]
    processes = [spawn.Process(target=_run, args=(settings, event), daemon=True) for event in started]
    for process in processes:
        process.start()
    try:
        for event in started:
            if not await asyncio.to_thread(event.wait, PATIENCE):
                raise RuntimeError("a process has not started in time")
        yield [process.pid for process in processes if process.pid is not None]
    finally:
        for process in processes:
            process.kill()
            process.join()


def _run(settings: Configuration, started: Event) -> None:
    uvloop.run(_connectors(settings, started))


async def _connectors(settings: Configuration, started: Event) -> None:
    """Until the process is killed."""
    async with runtime() as ours, running(settings, ours, roles=CONNECTORS_ALONE):
        started.set()
        await asyncio.Event().wait()


def _cpu(process: int) -> float:
    """Seconds of processor time that a process has had, all threads together."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory(process: int) -> float:
    """MiB that a process has held at a time, at most."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024

"""The hub on Kafka and Cassandra, the client's side on one core, both servers and the back ends on the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from bench import bygroups, latency, processes, stages, throughput
from bench.latency import Latency
from bench.load import Cost, Typical, at_once, in_turns, say
from bench.machine import alone
from bench.operations import Operation, operations
from bench.processes import Shared, of_processes
from bench.questions import MEMORY, Asker, Storage, configured, running, runtime
from bench.recovery import Recovery, recovery
from bench.stages import instant
from bench.steps import Step, steps
from bench.threads import Spent, spent
from bench.throughput import Throughput
from esclusa.kernel.instrument import Level

WIDTH = 8
"""Open requests, where there is one number of them."""
MODES = (1, 10, 60)
"""Connectors, one consumer for all of them beside one each."""


class Parts(msgspec.Struct, frozen=True):
    """Microseconds of processor time a call, of the hub or of less than it."""

    policies: float
    """Connectors without HTTP."""
    connectors: float
    """Connectors over HTTP."""
    in_memory: float
    """The hub over connectors without HTTP, on the engine `memory`."""
    kafka: float
    """The same with the log on Kafka."""
    cassandra: float
    """The same with records and keys on Cassandra, and the log in memory."""
    whole: float
    """The hub over HTTP, on both, silent."""
    logged: float
    """The same at INFO: what `Throughput` measures."""


class Mode(msgspec.Struct, frozen=True):
    """So many connectors, read for in both ways."""

    connectors: int
    pool: Typical
    connector: Typical


class Cluster(msgspec.Struct, frozen=True):
    """One run, or those parts of it that were asked for."""

    throughput: Sequence[Throughput] = ()
    threads: Spent | None = None
    """Microseconds a call."""
    parts: Parts | None = None
    operations: Sequence[Operation] = ()
    latency: Latency | None = None
    latency_by_groups: Latency | None = None
    steps: Sequence[Step] = ()
    modes: Sequence[Mode] = ()
    processes: Sequence[Shared] = ()
    recovery: Recovery | None = None


class Bench(msgspec.Struct, frozen=True):
    """Where and how long is measured."""

    addresses: Sequence[str]
    storage: Storage
    rounds: int
    seconds: float

    def of(self, measure: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """`measure` of these addresses, to be run in a process of its own."""
        return partial(measure, self.addresses, *arguments, **named)


def measured(bench: Bench, sections: Collection[str]) -> Cluster:
    """The sections asked for, by their names in `SECTIONS`, on servers that are warm."""
    say("Kafka and Cassandra, to warm them")
    alone(bench.of(throughput.of_hub, WIDTH, 2 * bench.seconds, bench.storage))
    found: dict[str, Any] = {}
    for name, section in SECTIONS.items():
        if name in sections:
            found |= section(bench)
    return Cluster(**found)


def _throughput(bench: Bench) -> dict[str, Any]:
    found = []
    for width in throughput.WIDTHS:
        say(f"Kafka and Cassandra: calls a second, {width} open")
        measures = (
            bench.of(throughput.of_hub, width, bench.seconds, bench.storage),
            bench.of(throughput.by_hand, width, bench.seconds),
            bench.of(by_groups, width, bench.seconds, bench.storage),
        )
        found.append(Throughput(width, *in_turns(bench.rounds, *measures)))
    return {"throughput": found}


async def by_groups(addresses: Sequence[str], width: int, seconds: float, storage: Storage) -> Cost:
    """As `throughput.by_hand`, by consumer groups."""
    async with bygroups.page(storage.kafka, throughput.urls(addresses)) as page:
        await at_once(page.ask, throughput.CONNECTORS, width, throughput.WARM)
        return await at_once(page.ask, throughput.CONNECTORS, width, seconds)


def _parts(bench: Bench) -> dict[str, Any]:
    say("Kafka and Cassandra: where the microseconds go")
    log_alone, records_alone = replace(bench.storage, cassandra=()), replace(bench.storage, kafka=())
    of = partial(bench.of, seconds=bench.seconds)
    measures: Mapping[str, Callable[..., Any]] = {
        "policies": of(stages.connectors, make=instant),
        "connectors": of(stages.connectors),
        "in_memory": of(stages.whole, make=instant, storage=MEMORY),
        "kafka": of(stages.whole, make=instant, storage=log_alone),
        "cassandra": of(stages.whole, make=instant, storage=records_alone),
        "whole": of(stages.whole, storage=bench.storage),
        "logged": of(stages.whole, storage=bench.storage, level=Level.INFO),
    }
    costs = in_turns(bench.rounds, *measures.values())
    parts = Parts(**{name: cost.micros for name, cost in zip(measures, costs, strict=True)})
    return {
        "parts": parts,
        "threads": alone(bench.of(_by_thread, bench.storage, 2 * bench.seconds)),
        "operations": alone(partial(operations, bench.storage, bench.seconds / 2)),
    }


async def _by_thread(addresses: Sequence[str], storage: Storage, seconds: float) -> Spent:
    settings = configured(throughput.urls(addresses), [WIDTH] * throughput.CONNECTORS, storage=storage)
    async with runtime() as ours, running(settings, ours) as hub:
        asker = Asker(hub)
        await at_once(asker, throughput.CONNECTORS, WIDTH, throughput.WARM)
        before = spent()
        cost = await at_once(asker, throughput.CONNECTORS, WIDTH, seconds)
        return spent().less(before).over(cost.calls / 1e6)


def _latency(bench: Bench) -> dict[str, Any]:
    say("Kafka and Cassandra: latency at half load")
    of_hub: Latency = alone(bench.of(latency.of_hub, 4 * bench.seconds, bench.storage))
    say("Kafka and Cassandra: how long each step takes")
    each = alone(bench.of(steps, bench.storage, of_hub.rate, 3 * bench.seconds))
    say("by consumer groups: latency at half load")
    groups = alone(bench.of(latency.by_groups, 4 * bench.seconds, bench.storage.kafka))
    return {"latency": of_hub, "latency_by_groups": groups, "steps": each}


def _modes(bench: Bench) -> dict[str, Any]:
    modes = []
    each = replace(bench.storage, consumers="connector")
    for connectors in MODES:
        say(f"Kafka and Cassandra: {connectors} connectors, one consumer for all beside one each")
        measures = [bench.of(throughput.of_hub, WIDTH, bench.seconds, on, connectors) for on in (bench.storage, each)]
        modes.append(Mode(connectors, *in_turns(1, *measures)))
    return {"modes": modes}


def _processes(bench: Bench) -> dict[str, Any]:
    found = []
    for count in processes.PROCESSES:
        say(f"Kafka and Cassandra: {count} connector processes")
        found.append(alone(bench.of(of_processes, bench.storage, count, 2 * bench.seconds)))
    return {"processes": found}


def _recovery(bench: Bench) -> dict[str, Any]:
    say("Kafka and Cassandra: a minute of backlog")
    return {"recovery": alone(bench.of(recovery, bench.storage))}


SECTIONS: Mapping[str, Callable[[Bench], dict[str, Any]]] = {
    "throughput": _throughput,
    "parts": _parts,
    "latency": _latency,
    "modes": _modes,
    "processes": _processes,
    "recovery": _recovery,
}
"""What measures which fields of `Cluster`."""

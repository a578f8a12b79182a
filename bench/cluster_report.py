"""The tables of Kafka and Cassandra."""

# ruff: noqa: RUF001 - tables have signs of arithmetic

from __future__ import annotations

from collections.abc import Sequence

from bench.cluster import WIDTH, Cluster, Mode, Parts
from bench.latency import CONNECTORS
from bench.operations import Operation
from bench.processes import Shared
from bench.recovery import A_SECOND, Recovery
from bench.steps import Step
from bench.tables import (
    GROUPS,
    HUB,
    beside,
    calls,
    compared,
    cost_budget,
    difference,
    latencies,
    latency_budget,
    table,
)
from bench.threads import Spent


def budgets(cluster: Cluster) -> list[tuple[str, ...]]:
    """The lines of the budget that it has to keep."""
    rows: list[tuple[str, ...]] = []
    if cluster.throughput:
        work = f"the same on Kafka + Cassandra: client CPU a back-end call, {CONNECTORS} back ends"
        rows.append(cost_budget(work, cluster.throughput, 1, 2))
    if cluster.latency is not None:
        work = "request complete − slowest back end, at half load, Kafka + Cassandra"
        rows.append(latency_budget(work, cluster.latency))
    return rows


def tables(cluster: Cluster) -> list[str]:
    """All of them, with their headings."""
    found = ["## On Kafka and Cassandra"]
    if cluster.throughput:
        found.append(beside(GROUPS, cluster.throughput))
    if cluster.threads is not None:
        found += [f"Whose processor time it is, with {WIDTH} open requests:", _threads(cluster.threads)]
    if cluster.parts is not None:
        found += ["### Where the microseconds go there", _parts(cluster.parts)]
    if cluster.operations:
        found += ["What an operation costs its client, alone, eight at a time:", _operations(cluster.operations)]
    if cluster.latency is not None and cluster.latency_by_groups is not None:
        found += [
            "### On top of the slowest back end there",
            latencies({HUB: cluster.latency, GROUPS: cluster.latency_by_groups}),
        ]
        found += ["How long each step takes, at that load:", _steps(cluster.steps)]
    if cluster.modes:
        found += ["### One consumer for a pool, or one for each connector", _modes(cluster.modes)]
    if cluster.processes:
        found += ["### Connectors in processes of their own", _processes(cluster.processes)]
    if cluster.recovery is not None:
        found += ["### Connectors that come back after a minute", _recovery(cluster.recovery)]
    return found


def _threads(spent: Spent) -> str:
    rows = [
        ("the event loop", spent.loop),
        ("the engines' own threads, in Python: fetching, delivery reports, groups", spent.threads),
        ("librdkafka's threads", spent.kafka),
        ("the Cassandra driver's threads", spent.cassandra),
    ]
    return table(("Who", "µs a call"), [(who, f"{micros:.1f}") for who, micros in rows])


def _parts(parts: Parts) -> str:
    hub, kafka = parts.in_memory - parts.policies, parts.kafka - parts.in_memory
    cassandra = parts.cassandra - parts.in_memory
    rows = [
        ("connectors: HTTP client, REST, policies", parts.connectors, "alone"),
        (
            "the hub: submit, pool, collector, sealing, waiting, reading",
            hub,
            "the hub over connectors that answer at once and the engine `memory`, less the policies",
        ),
        ("Kafka", kafka, "the same with the log on Kafka, less that in memory"),
        ("Cassandra", cassandra, "the same with records and keys on Cassandra, less that in memory"),
        (
            "answers that come one after another",
            parts.whole - parts.connectors - hub - kafka - cassandra,
            "the whole path, less all of the above: fewer answers share a message, a batch and a look than where all are instant",
        ),
        ("a log line", parts.logged - parts.whole, "the whole path at INFO, less the same silent"),
        ("**all**", parts.logged, "the whole path, measured"),
    ]
    return table(("Part", "µs a call", "How"), [(what, difference(micros), how) for what, micros, how in rows])


def _operations(operations: Sequence[Operation]) -> str:
    return table(("Operation", "µs"), [(each.name, f"{each.micros:.0f}") for each in operations])


def _steps(steps: Sequence[Step]) -> str:
    return table(
        ("Step", "times a request", "p50", "p99"),
        [(each.name, f"{each.each:.1f}", f"{each.p50:.1f} ms", f"{each.p99:.1f} ms") for each in steps],
    )


def _modes(modes: Sequence[Mode]) -> str:
    return table(
        ("Connectors", "a pool: calls/s", "µs a call", "each connector: calls/s", "µs a call", "to the pool"),
        [(str(each.connectors), *calls(each.pool), *compared(each.connector, each.pool)) for each in modes],
    )


def _processes(processes: Sequence[Shared]) -> str:
    return table(
        (
            "Processes with connectors",
            "calls/s",
            "µs a call in them",
            "in the process with all else",
            "together",
            "memory of the largest",
        ),
        [
            (
                str(each.processes),
                f"{each.rate:,.0f}",
                f"{each.connectors:.1f}",
                f"{each.elsewhere:.1f}",
                f"{each.connectors + each.elsewhere:.1f}",
                f"{each.memory:,.0f} MiB",
            )
            for each in processes
        ],
    )


def _recovery(recovery: Recovery) -> str:
    return (
        f"A minute of {A_SECOND} questions a second stands in the log, {recovery.requests:,} questions, half of them answered, "
        f"and nothing is committed. From the start of a process with connectors: **{recovery.first:.1f} s** until the first new "
        f"answer can be seen, **{recovery.whole:.1f} s** until all {recovery.calls:,} can; "
        f"{recovery.calls / (recovery.whole - recovery.first):,.0f} calls/s in between, {recovery.micros:.1f} µs a call."
    )

"""The tables of Kafka and Cassandra."""

# ruff: noqa: RUF001 - tables have signs of arithmetic

from __future__ import annotations

from collections.abc import Sequence

from bench.cluster import WIDTH, Beside, Cluster, Mode, Parts
from bench.latency import CONNECTORS, DELAYS, Latency
from bench.operations import Operation
from bench.processes import Shared
from bench.recovery import A_SECOND, Recovery
from bench.steps import Step
from bench.tables import calls, difference, reached, table
from bench.threads import Spent

HUB, GROUPS = "hub", "by consumer groups"


def budgets(cluster: Cluster) -> list[tuple[str, ...]]:
    """The lines of the budget that it has to keep."""
    rows: list[tuple[str, ...]] = []
    if cluster.beside:
        slowest = min(each.ratio for each in cluster.beside)
        rows.append(
            (
                f"the same on Kafka + Cassandra: client CPU a back-end call, {CONNECTORS} back ends",
                "the same calls by hand",
                " / ".join(f"{each.ratio:.2f}×" for each in cluster.beside)
                + f" at {' / '.join(str(each.width) for each in cluster.beside)} open",
                "1×",
                "2×",
                reached(slowest >= 1, slowest >= 2),
            )
        )
    if cluster.latency is not None:
        p50, p99 = cluster.latency.p50, cluster.latency.p99
        rows.append(
            (
                "request complete − slowest back end, at half load, Kafka + Cassandra",
                "zero",
                f"p50 {p50:.1f} ms, p99 {p99:.1f} ms",
                "10 ms, 50 ms",
                "3 ms, 15 ms",
                reached(p50 <= 10 and p99 <= 50, p50 <= 3 and p99 <= 15),
            )
        )
    return rows


def tables(cluster: Cluster) -> list[str]:
    """All of them, with their headings."""
    found = ["## On Kafka and Cassandra"]
    if cluster.beside:
        found.append(_beside(cluster.beside))
    if cluster.threads is not None:
        found += [f"Whose processor time it is, with {WIDTH} open requests:", _threads(cluster.threads)]
    if cluster.parts is not None:
        found += ["### Where the microseconds go there", _parts(cluster.parts)]
    if cluster.operations:
        found += ["What an operation costs its client, alone, eight at a time:", _operations(cluster.operations)]
    if cluster.latency is not None and cluster.latency_by_groups is not None:
        found += ["### On top of the slowest back end there", _latency(cluster.latency, cluster.latency_by_groups)]
        found += ["How long each step takes, at that load:", _steps(cluster.steps)]
    if cluster.modes:
        found += ["### One consumer for a pool, or one for each connector", _modes(cluster.modes)]
    if cluster.processes:
        found += ["### Connectors in processes of their own", _processes(cluster.processes)]
    if cluster.recovery is not None:
        found += ["### Connectors that come back after a minute", _recovery(cluster.recovery)]
    return found


def _beside(beside: Sequence[Beside]) -> str:
    return table(
        (
            "Open requests",
            "hub: calls/s",
            "µs a call",
            "by hand: calls/s",
            "µs a call",
            "hub over by hand",
            f"{GROUPS}: calls/s",
            "µs a call",
            "hub over that",
        ),
        [
            (
                str(each.width),
                *calls(each.hub),
                *calls(each.hand),
                f"{each.ratio:.2f}×",
                *calls(each.groups),
                f"{each.groups.micros / each.hub.micros:.2f}×",
            )
            for each in beside
        ],
    )


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


def _latency(hub: Latency, groups: Latency) -> str:
    return table(
        (f"{CONNECTORS} back ends of {DELAYS[0]} to {DELAYS[-1]} ms", "calls/s", "requests", "p50", "p99"),
        [
            (name, f"{each.rate:,.0f}", f"{each.requests:,}", f"{each.p50:.1f} ms", f"{each.p99:.1f} ms")
            for name, each in ((HUB, hub), (GROUPS, groups))
        ],
    )


def _steps(steps: Sequence[Step]) -> str:
    return table(
        ("Step", "times a request", "p50", "p99"),
        [(each.name, f"{each.each:.1f}", f"{each.p50:.1f} ms", f"{each.p99:.1f} ms") for each in steps],
    )


def _modes(modes: Sequence[Mode]) -> str:
    return table(
        ("Connectors", "a pool: calls/s", "µs a call", "each connector: calls/s", "µs a call", "to the pool"),
        [
            (
                str(each.connectors),
                *calls(each.pool),
                *calls(each.connector),
                f"{each.connector.micros / each.pool.micros:.2f}×",
            )
            for each in modes
        ],
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

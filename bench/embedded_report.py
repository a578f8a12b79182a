"""The tables of the embedded engine."""

# ruff: noqa: RUF001 - tables have signs of arithmetic

from __future__ import annotations

from collections.abc import Sequence

from bench.embedded import Embedded
from bench.growth import A_QUESTION, A_SECOND, IN_THE_AIR, Growth, Open
from bench.isolation import DELAYS_MS, RATE, Isolation
from bench.load import Typical
from bench.stages import Stages
from bench.tables import (
    HAND,
    HUB,
    TUNED,
    beside,
    compared,
    cost_budget,
    difference,
    growth_budget,
    latencies,
    latency_budget,
    reached,
    table,
)
from bench.throughput import CONNECTORS


def tables(embedded: Embedded) -> list[str]:
    """All of them, with their headings."""
    return [
        "## Calls a second and core",
        beside(TUNED, embedded.throughput),
        "## On top of the slowest back end",
        latencies({HUB: embedded.latency, HAND: embedded.latency_by_hand}),
        "## As there is more of everything",
        f"A question to so many connectors, {IN_THE_AIR} calls in the air:",
        _growth(embedded.connectors),
        f"{A_SECOND} questions a second to {A_QUESTION} connectors, one of them slow, so many open:",
        _open(embedded.open),
        "## Beside back ends that are sick",
        f"{RATE} questions a second to {len(DELAYS_MS)} healthy back ends of {DELAYS_MS[0]} to {DELAYS_MS[-1]} ms, answered by:",
        _isolation(embedded.isolation),
        "## Where the microseconds go",
        _stages(embedded.stages),
    ]


def budgets(embedded: Embedded) -> list[tuple[str, ...]]:
    """The lines of the budget that it has to keep."""
    connectors = _worst([each.hub for each in embedded.connectors])
    waited, alone = _worst([each.waited for each in embedded.open]), _worst([each.alone for each in embedded.open])
    sizes, opened = _span([each.size for each in embedded.connectors]), _span([each.size for each in embedded.open])
    return [
        cost_budget(
            f"hub, whole durable path, embedded, {CONNECTORS} back ends: back-end calls a second and core",
            embedded.throughput,
            1.5,
            3,
        ),
        latency_budget("request complete − slowest back end, at half load", embedded.latency),
        growth_budget(f"cost of one call, {sizes} connectors", connectors),
        growth_budget(f"cost of one call, {opened} open requests", waited, f"{waited:.2f}×; {alone:.2f}× where nobody waits"),
        (
            "one back end hung, one flapping, one 10 % errors, of ten: until the healthy seven have answered, p99",
            "the healthy seven alone",
            f"{embedded.isolation.ratio:.2f}×",
            "1.2×",
            "1.05×",
            reached(embedded.isolation.ratio <= 1.2, embedded.isolation.ratio <= 1.05),
        ),
    ]


def _worst(costs: Sequence[Typical]) -> float:
    """The dearest of the larger sizes over the smallest."""
    first, *others = (cost.micros for cost in costs)
    return max(others) / first


def _span(sizes: Sequence[int]) -> str:
    return f"from {sizes[0]:,} to {sizes[-1]:,}"


def _growth(growth: Sequence[Growth]) -> str:
    first = growth[0]
    return table(
        ("Connectors", "hub: calls/s", "µs a call", "to the first", "by hand: calls/s", "µs a call", "to the first"),
        [(f"{each.size:,}", *compared(each.hub, first.hub), *compared(each.hand, first.hand)) for each in growth],
    )


def _open(growth: Sequence[Open]) -> str:
    first = growth[0]
    return table(
        (
            "Open requests",
            "hub, everybody waits: calls/s",
            "µs a call",
            "to the first",
            "nobody waits: calls/s",
            "µs a call",
            "to the first",
            "by hand: calls/s",
            "µs a call",
            "to the first",
        ),
        [
            (
                f"{each.size:,}",
                *compared(each.waited, first.waited),
                *compared(each.alone, first.alone),
                *compared(each.hand, first.hand),
            )
            for each in growth
        ],
    )


def _isolation(isolation: Isolation) -> str:
    rows = {"the healthy alone": isolation.alone, "with three more: hung, flapping, one error in ten": isolation.beside}
    return table(
        ("Back ends", "questions", "p50", "p99"),
        [(who, f"{isolation.questions:,}", f"{p50:.1f} ms", f"{p99:.1f} ms") for who, (p50, p99) in rows.items()],
    )


def _stages(stages: Stages) -> str:
    rows = [
        ("the HTTP client", stages.client, "alone, with one request made beforehand"),
        (
            "REST: the request from its settings, its answer as JSON",
            stages.connectors - stages.client - stages.policies,
            "connectors over HTTP, less the client and the policies",
        ),
        ("the policies", stages.policies, "connectors whose back ends answer at once, without HTTP"),
        (
            "the hub: submit, pool, collector, sealing, waiting, reading",
            stages.in_memory - stages.policies,
            "the hub over those connectors and the engine `memory`, less the policies",
        ),
        ("SQLite", stages.embedded - stages.in_memory, "the same on the embedded engine, less that in memory"),
        (
            "answers that come one after another",
            stages.whole - stages.connectors - (stages.embedded - stages.policies),
            "the whole path, less all of the above: fewer answers share a message, a commit and a look than where all are instant",
        ),
        ("a log line", stages.logged - stages.whole, "the whole path at INFO, less the same silent"),
        ("**all**", stages.logged, "the whole path, measured"),
        ("later: the purge", stages.purge, "a load that expires at once, until nothing of it is left"),
        ("on top: each further look at a final result", stages.read, "read again and again, over its calls"),
    ]
    return table(("Stage", "µs a call", "How"), [(what, difference(micros), how) for what, micros, how in rows])

"""The tables of the embedded engine."""

# ruff: noqa: RUF001 - tables have signs of arithmetic

from __future__ import annotations

from collections.abc import Sequence

from bench.embedded import Embedded
from bench.growth import A_QUESTION, A_SECOND, IN_THE_AIR, Growth, Open
from bench.latency import DELAYS, Latency
from bench.load import Typical
from bench.stages import Stages
from bench.tables import calls, difference, reached, table
from bench.throughput import CONNECTORS, Throughput


def tables(embedded: Embedded) -> list[str]:
    """All of them, with their headings."""
    return [
        "## Calls a second and core",
        _throughput(embedded.throughput),
        "## On top of the slowest back end",
        _latency(embedded.latency, embedded.latency_by_hand),
        "## As there is more of everything",
        f"A question to so many connectors, {IN_THE_AIR} calls in the air:",
        _growth(embedded.connectors),
        f"{A_SECOND} questions a second to {A_QUESTION} connectors, one of them slow, so many open:",
        _open(embedded.open),
        "## Where the microseconds go",
        _stages(embedded.stages),
    ]


def budgets(embedded: Embedded) -> list[tuple[str, ...]]:
    """The lines of the budget that it has to keep."""
    slowest = min(each.ratio for each in embedded.throughput)
    latency = embedded.latency
    connectors = _worst([each.hub for each in embedded.connectors])
    waited, alone = _worst([each.waited for each in embedded.open]), _worst([each.alone for each in embedded.open])
    return [
        (
            f"hub, whole durable path, embedded, {CONNECTORS} back ends: back-end calls a second and core",
            "the same calls by hand",
            " / ".join(f"{each.ratio:.2f}×" for each in embedded.throughput)
            + f" at {' / '.join(str(each.width) for each in embedded.throughput)} open",
            "1.5×",
            "3×",
            reached(slowest >= 1.5, slowest >= 3),
        ),
        (
            "request complete − slowest back end, at half load",
            "zero",
            f"p50 {latency.p50:.1f} ms, p99 {latency.p99:.1f} ms",
            "10 ms, 50 ms",
            "3 ms, 15 ms",
            reached(latency.p50 <= 10 and latency.p99 <= 50, latency.p50 <= 3 and latency.p99 <= 15),
        ),
        (
            f"cost of one call, {_span([each.size for each in embedded.connectors])} connectors",
            "itself",
            f"{connectors:.2f}×",
            "1.5×",
            "1.2×",
            reached(connectors <= 1.5, connectors <= 1.2),
        ),
        (
            f"cost of one call, {_span([each.size for each in embedded.open])} open requests",
            "itself",
            f"{waited:.2f}×; {alone:.2f}× where nobody waits",
            "1.5×",
            "1.2×",
            reached(waited <= 1.5, waited <= 1.2),
        ),
    ]


def _worst(costs: Sequence[Typical]) -> float:
    """The dearest of the larger sizes over the smallest."""
    first, *others = (cost.micros for cost in costs)
    return max(others) / first


def _span(sizes: Sequence[int]) -> str:
    return f"from {sizes[0]:,} to {sizes[-1]:,}"


def _throughput(throughput: Sequence[Throughput]) -> str:
    return table(
        (
            "Open requests",
            "hub: calls/s",
            "µs a call",
            "by hand: calls/s",
            "µs a call",
            "hub over by hand",
            "by hand, tuned: calls/s",
            "µs a call",
            "hub over that",
        ),
        [
            (
                str(each.width),
                *calls(each.hub),
                *calls(each.hand),
                f"{each.ratio:.2f}×",
                *calls(each.tuned),
                f"{each.tuned.micros / each.hub.micros:.2f}×",
            )
            for each in throughput
        ],
    )


def _latency(hub: Latency, hand: Latency) -> str:
    return table(
        (f"{CONNECTORS} back ends of {DELAYS[0]} to {DELAYS[-1]} ms", "calls/s", "requests", "p50", "p99"),
        [
            (name, f"{each.rate:,.0f}", f"{each.requests:,}", f"{each.p50:.1f} ms", f"{each.p99:.1f} ms")
            for name, each in (("hub", hub), ("by hand", hand))
        ],
    )


def _growth(growth: Sequence[Growth]) -> str:
    first = growth[0]
    return table(
        ("Connectors", "hub: calls/s", "µs a call", "to the first", "by hand: calls/s", "µs a call", "to the first"),
        [(f"{each.size:,}", *_beside(each.hub, first.hub), *_beside(each.hand, first.hand)) for each in growth],
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
                *_beside(each.waited, first.waited),
                *_beside(each.alone, first.alone),
                *_beside(each.hand, first.hand),
            )
            for each in growth
        ],
    )


def _beside(cost: Typical, first: Typical) -> tuple[str, str, str]:
    return *calls(cost), f"{cost.micros / first.micros:.2f}×"


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

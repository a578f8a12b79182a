"""The tables, in Markdown: for the terminal and for docs/performance.md."""

# ruff: noqa: RUF001 - tables have signs of arithmetic

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.growth import A_QUESTION, A_SECOND, IN_THE_AIR, Growth, Open
from bench.latency import DELAYS, Latency
from bench.load import Typical
from bench.machine import Machine
from bench.stages import Stages
from bench.throughput import CONNECTORS, Throughput

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


class Results(msgspec.Struct, frozen=True):
    """One run."""

    machine: Machine
    throughput: Sequence[Throughput]
    latency: Latency
    latency_by_hand: Latency
    connectors: Sequence[Growth]
    open: Sequence[Open]
    stages: Stages


def markdown(results: Results) -> str:
    """All tables of a run."""
    parts = [
        _machine(results.machine),
        "## Budgets",
        _budgets(results),
        "## Calls a second and core",
        _throughput(results.throughput),
        "## On top of the slowest back end",
        _latency(results.latency, results.latency_by_hand),
        "## As there is more of everything",
        f"A question to so many connectors, {IN_THE_AIR} calls in the air:",
        _growth(results.connectors),
        f"{A_SECOND} questions a second to {A_QUESTION} connectors, one of them slow, so many open:",
        _open(results.open),
        "## Where the microseconds go",
        _stages(results.stages),
    ]
    return "\n\n".join(parts)


def write(results: Results, path: Path) -> None:
    """Put the tables of a run between the marks in `path`."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n\n{markdown(results)}\n\n{END}{after}", encoding="utf-8")


def _machine(machine: Machine) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    return (
        f"{machine.date}, {machine.processor}, {machine.cores} cores, {machine.system}, Python {machine.python}, {versions}. "
        f"Load of the machine before the run: {machine.load:.2f}."
    )


def _budgets(results: Results) -> str:
    slowest = min(each.ratio for each in results.throughput)
    latency = results.latency
    connectors = _worst([each.hub for each in results.connectors])
    waited, alone = _worst([each.waited for each in results.open]), _worst([each.alone for each in results.open])
    return _table(
        ("Work", "Beside", "Measured", "First bar", "Goal", "Reached"),
        [
            (
                f"hub, whole durable path, embedded, {CONNECTORS} back ends: back-end calls a second and core",
                "the same calls by hand",
                " / ".join(f"{each.ratio:.2f}×" for each in results.throughput)
                + f" at {' / '.join(str(each.width) for each in results.throughput)} open",
                "1.5×",
                "3×",
                _reached(slowest >= 1.5, slowest >= 3),
            ),
            (
                "request complete − slowest back end, at half load",
                "zero",
                f"p50 {latency.p50:.1f} ms, p99 {latency.p99:.1f} ms",
                "10 ms, 50 ms",
                "3 ms, 15 ms",
                _reached(latency.p50 <= 10 and latency.p99 <= 50, latency.p50 <= 3 and latency.p99 <= 15),
            ),
            (
                f"cost of one call, {_span([each.size for each in results.connectors])} connectors",
                "itself",
                f"{connectors:.2f}×",
                "1.5×",
                "1.2×",
                _reached(connectors <= 1.5, connectors <= 1.2),
            ),
            (
                f"cost of one call, {_span([each.size for each in results.open])} open requests",
                "itself",
                f"{waited:.2f}×; {alone:.2f}× where nobody waits",
                "1.5×",
                "1.2×",
                _reached(waited <= 1.5, waited <= 1.2),
            ),
        ],
    )


def _reached(bar: bool, goal: bool) -> str:
    return "goal" if goal else "first bar" if bar else "no"


def _worst(costs: Sequence[Typical]) -> float:
    """The dearest of the larger sizes over the smallest."""
    first, *others = (cost.micros for cost in costs)
    return max(others) / first


def _span(sizes: Sequence[int]) -> str:
    return f"from {sizes[0]:,} to {sizes[-1]:,}"


def _throughput(throughput: Sequence[Throughput]) -> str:
    return _table(
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
                f"{each.hub.rate:,.0f}",
                f"{each.hub.micros:.1f}",
                f"{each.hand.rate:,.0f}",
                f"{each.hand.micros:.1f}",
                f"{each.ratio:.2f}×",
                f"{each.tuned.rate:,.0f}",
                f"{each.tuned.micros:.1f}",
                f"{each.tuned.micros / each.hub.micros:.2f}×",
            )
            for each in throughput
        ],
    )


def _latency(hub: Latency, hand: Latency) -> str:
    return _table(
        (f"{CONNECTORS} back ends of {DELAYS[0]} to {DELAYS[-1]} ms", "calls/s", "requests", "p50", "p99"),
        [
            (name, f"{each.rate:,.0f}", f"{each.requests:,}", f"{each.p50:.1f} ms", f"{each.p99:.1f} ms")
            for name, each in (("hub", hub), ("by hand", hand))
        ],
    )


def _growth(growth: Sequence[Growth]) -> str:
    first = growth[0]
    return _table(
        ("Connectors", "hub: calls/s", "µs a call", "to the first", "by hand: calls/s", "µs a call", "to the first"),
        [(f"{each.size:,}", *_cost(each.hub, first.hub), *_cost(each.hand, first.hand)) for each in growth],
    )


def _open(growth: Sequence[Open]) -> str:
    first = growth[0]
    return _table(
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
                *_cost(each.waited, first.waited),
                *_cost(each.alone, first.alone),
                *_cost(each.hand, first.hand),
            )
            for each in growth
        ],
    )


def _cost(cost: Typical, first: Typical) -> tuple[str, str, str]:
    return f"{cost.rate:,.0f}", f"{cost.micros:.1f}", f"{cost.micros / first.micros:.2f}×"


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
    return _table(("Stage", "µs a call", "How"), [(what, f"{micros:.1f}", how) for what, micros, how in rows])


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

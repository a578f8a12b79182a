"""Tables in Markdown, and what stands in their cells."""

# ruff: noqa: RUF001 - tables have signs of arithmetic

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bench.latency import CONNECTORS, DELAYS_MS, Latency
from bench.load import Typical
from bench.throughput import Throughput

HUB, HAND, TUNED, GROUPS = "hub", "by hand", "by hand, tuned", "by consumer groups"
"""Who does the same work."""


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """One table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def calls(cost: Typical) -> tuple[str, str]:
    """Calls a second, and microseconds a call."""
    return f"{cost.rate:,.0f}", f"{cost.micros:.1f}"


def compared(cost: Typical, other: Typical) -> tuple[str, str, str]:
    """As `calls`, and the processor time of a call over that of the `other`."""
    return *calls(cost), f"{cost.micros / other.micros:.2f}×"


def beside(other: str, throughput: Sequence[Throughput]) -> str:
    """The hub beside the same by hand and by the `other`."""
    heads = ["Open requests", f"{HUB}: calls/s", "µs a call"]
    for peer in (HAND, other):
        heads += [f"{peer}: calls/s", "µs a call", "hub over that"]
    return table(
        heads,
        [
            (str(each.width), *calls(each.hub), *compared(each.hand, each.hub), *compared(each.other, each.hub))
            for each in throughput
        ],
    )


def latencies(latencies: Mapping[str, Latency]) -> str:
    """What comes on top of the slowest back end, by who does the work."""
    return table(
        (f"{CONNECTORS} back ends of {DELAYS_MS[0]} to {DELAYS_MS[-1]} ms", "calls/s", "requests", "p50", "p99"),
        [
            (name, f"{each.rate:,.0f}", f"{each.requests:,}", f"{each.p50:.1f} ms", f"{each.p99:.1f} ms")
            for name, each in latencies.items()
        ],
    )


def cost_budget(work: str, throughput: Sequence[Throughput], bar: float, goal: float) -> tuple[str, ...]:
    """The line of a budget of processor time: how many calls of the hub's cost as much as one by hand."""
    least = min(each.ratio for each in throughput)
    ratios, widths = [f"{each.ratio:.2f}×" for each in throughput], [str(each.width) for each in throughput]
    measured = f"{' / '.join(ratios)} at {' / '.join(widths)} open"
    return work, "the same calls by hand", measured, f"{bar:g}×", f"{goal:g}×", reached(least >= bar, least >= goal)


def latency_budget(work: str, latency: Latency) -> tuple[str, ...]:
    """The line of the budget of what comes on top of the slowest back end."""
    p50, p99 = latency.p50, latency.p99
    passed = reached(p50 <= 10 and p99 <= 50, p50 <= 3 and p99 <= 15)
    return work, "zero", f"p50 {p50:.1f} ms, p99 {p99:.1f} ms", "10 ms, 50 ms", "3 ms, 15 ms", passed


def growth_budget(work: str, ratio: float, measured: str = "") -> tuple[str, ...]:
    """The line of a budget of what a call costs more as there is more of everything: `ratio`, told as `measured`."""
    return work, "itself", measured or f"{ratio:.2f}×", "1.5×", "1.2×", reached(ratio <= 1.5, ratio <= 1.2)


def reached(bar: bool, goal: bool) -> str:
    """Which of the two a figure has passed."""
    return "goal" if goal else "first bar" if bar else "no"


def difference(micros: float) -> str:
    """Microseconds that one measure has more than another; less than nothing is noise."""
    return f"{micros:.1f}" if micros > 0 else "within noise"

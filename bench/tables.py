"""Tables in Markdown, and what stands in their cells."""

from __future__ import annotations

from collections.abc import Sequence

from bench.load import Typical


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """One table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def calls(cost: Typical) -> tuple[str, str]:
    """Calls a second, and microseconds a call."""
    return f"{cost.rate:,.0f}", f"{cost.micros:.1f}"


def reached(bar: bool, goal: bool) -> str:
    """Which of the two a figure has passed."""
    return "goal" if goal else "first bar" if bar else "no"


def difference(micros: float) -> str:
    """Microseconds that one measure has more than another; less than nothing is noise."""
    return f"{micros:.1f}" if micros > 0 else "within noise"

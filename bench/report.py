"""What a run found, in Markdown: for the terminal and for docs/performance.md."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bench import calls_report, cluster_report, embedded_report
from bench.calls import Calls
from bench.cluster import Cluster
from bench.embedded import Embedded
from bench.machine import Machine
from bench.tables import table

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


class Results(msgspec.Struct, frozen=True):
    """One run, or what was asked for of it."""

    machine: Machine
    embedded: Embedded | None
    calls: Calls | None
    cluster: Cluster | str | None
    """Or why it could not be measured."""


def markdown(results: Results) -> str:
    """All tables of a run."""
    embedded, cluster = results.embedded, results.cluster
    budgets: list[tuple[str, ...]] = []
    parts: list[str] = []
    if embedded is not None:
        budgets += embedded_report.budgets(embedded)
        parts += embedded_report.tables(embedded)
    if results.calls is not None:
        parts += calls_report.tables(results.calls)
    if isinstance(cluster, Cluster):
        budgets += cluster_report.budgets(cluster)
        parts += cluster_report.tables(cluster)
    elif cluster is not None:
        parts += ["## Kafka and Cassandra", f"Not measured: {cluster}."]
    if budgets:
        heads = ("Work", "Beside", "Measured", "First bar", "Goal", "Reached")
        parts = ["## Budgets", table(heads, budgets), *parts]
    return "\n\n".join([_machine(results.machine), *parts])


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

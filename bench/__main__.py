"""`python -m bench`: measures, prints the tables and, where told to, writes them into a page or a file of JSON."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from dev.jars import Missing

from bench import calls, cluster, embedded, growth
from bench.backends import backends
from bench.cluster import Bench, Cluster
from bench.load import say
from bench.machine import cores, described
from bench.report import Results, markdown, write
from bench.servers import servers

EMBEDDED, CALLS = "embedded", "calls"
CLUSTER = [f"cluster/{name}" for name in cluster.SECTIONS]


class Effort(NamedTuple):
    """How long is measured."""

    rounds: int
    seconds: float
    """Of each measure."""
    open: Sequence[int]
    """Numbers of open requests."""
    cluster_rounds: int
    cluster_seconds: float
    """Of each measure on Kafka and Cassandra."""


QUICK, FULL = Effort(1, 0.3, growth.OPEN[:-1], 1, 0.5), Effort(3, 1.0, growth.OPEN, 2, 2.0)


def measured(effort: Effort, sections: Collection[str]) -> Results:
    """One run of the sections."""
    machine = described()
    _, core = cores()
    with backends(max(growth.CONNECTORS), core) as addresses:
        on_files = (
            embedded.measured(addresses, core, effort.rounds, effort.seconds, effort.open) if EMBEDDED in sections else None
        )
        of_calls = calls.measured(addresses, core, effort.rounds, effort.seconds) if CALLS in sections else None
        wanted = [each.rpartition("/")[2] for each in CLUSTER if each in sections]
        on_servers = _on_servers(addresses, core, effort, wanted) if wanted else None
    return Results(machine, on_files, of_calls, on_servers)


def _on_servers(addresses: Sequence[str], core: int, effort: Effort, wanted: Collection[str]) -> Cluster | str:
    """What was measured, or why not."""
    say("Kafka and Cassandra, to start them")
    try:
        with servers(core) as storage:
            return cluster.measured(Bench(addresses, storage, effort.cluster_rounds, effort.cluster_seconds), wanted)
    except Missing as missing:
        say(f"skipped, there is no Kafka and Cassandra here: {missing}")
        return str(missing)


def main() -> None:
    """Read the command line, and do it."""
    parser = ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables between the marks of this page")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to this file")
    parser.add_argument(
        "--quick", action="store_true", help="a glance, in a few minutes: short measures, and fewer; no page is written"
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=[EMBEDDED, CALLS, "cluster", *CLUSTER],
        metavar="SECTION",
        help=f"this alone, and others that are asked for so; no page is written ({EMBEDDED}, {CALLS}, cluster, {', '.join(CLUSTER)})",
    )
    told = parser.parse_args()
    only = told.only or [EMBEDDED, CALLS, "cluster"]
    sections = {each for each in [EMBEDDED, CALLS, *CLUSTER] if each in only or each.partition("/")[0] in only}
    results = measured(QUICK if told.quick else FULL, sections)
    print(markdown(results))
    if told.write and not told.quick and not told.only:
        write(results, told.write)
    if told.json:
        told.json.write_bytes(msgspec.json.format(msgspec.json.encode(results)))


if __name__ == "__main__":
    main()

"""`python -m bench`: measures, prints the tables and, where told to, writes them into a page or a file of JSON."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from functools import partial
from pathlib import Path

import msgspec

from bench import growth, latency, stages, throughput
from bench.backends import backends
from bench.machine import alone, cores, described
from bench.report import Results, markdown, write

QUICK, FULL = (1, 0.3), (5, 1.0)
"""Rounds, and seconds of each measure."""


def measured(rounds: int, seconds: float) -> Results:
    """One run of everything."""
    machine = described()
    _, core = cores()
    with backends(max(growth.CONNECTORS), core) as addresses:
        say("calls a second")
        speed = alone(partial(throughput.measure, addresses, rounds, seconds))
        say("latency at half of that")
        _, usual, _ = speed
        of_hub = alone(partial(latency.of_hub, addresses, usual.hub.rate / 2, 8 * seconds))
        by_hand = alone(partial(latency.by_hand, addresses, usual.hand.rate / 2, 8 * seconds))
        say("more connectors")
        connectors = [alone(partial(growth.with_connectors, addresses, size, rounds, seconds)) for size in growth.CONNECTORS]
        say("more open requests")
        open_ = [alone(partial(growth.with_open, addresses, size, 3 * seconds)) for size in growth.OPEN]
        say("stages")
        parts = alone(partial(stages.measure, addresses, min(rounds, 3), seconds))
    return Results(machine, speed, of_hub, by_hand, connectors, open_, parts)


def say(what: str) -> None:
    """What is being measured now: it takes minutes."""
    print(what, "...", file=sys.stderr, flush=True)


def main() -> None:
    """Read the command line, and do it."""
    parser = ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables between the marks of this page")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to this file")
    parser.add_argument("--quick", action="store_true", help="a glance: figures that say little, in a minute and a half")
    told = parser.parse_args()
    results = measured(*(QUICK if told.quick else FULL))
    print(markdown(results))
    if told.write:
        write(results, told.write)
    if told.json:
        told.json.write_bytes(msgspec.json.format(msgspec.json.encode(results)))


if __name__ == "__main__":
    main()

"""`python -m bench`: measures, prints the tables and, where told to, writes them into a page or a file of JSON."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench import growth, latency, stages, throughput
from bench.backends import backends
from bench.growth import Growth, Open
from bench.load import Cost, Typical, typical
from bench.machine import Measure, alone, cores, described
from bench.report import Results, markdown, write
from bench.stages import Stages
from bench.throughput import Throughput


class Effort(NamedTuple):
    """How long is measured."""

    rounds: int
    seconds: float
    """Of each measure."""
    open: Sequence[int]
    """Numbers of open requests."""


QUICK, FULL = Effort(1, 0.3, growth.OPEN[:-1]), Effort(3, 1.0, growth.OPEN)


def measured(effort: Effort) -> Results:
    """One run of everything."""
    rounds, seconds, opens = effort
    machine = described()
    _, core = cores()
    with backends(max(growth.CONNECTORS), core) as addresses:
        speed = [calls_a_second(addresses, width, rounds, seconds) for width in throughput.WIDTHS]
        say("latency at half load")
        of_hub = alone(partial(latency.of_hub, addresses, 8 * seconds))
        by_hand = alone(partial(latency.by_hand, addresses, 8 * seconds))
        connectors = [more_connectors(addresses, count, rounds, seconds) for count in growth.CONNECTORS]
        open_ = [more_open(addresses, count, 3 * seconds) for count in opens]
        return Results(machine, speed, of_hub, by_hand, connectors, open_, parts(addresses, rounds, seconds))


def calls_a_second(addresses: Sequence[str], width: int, rounds: int, seconds: float) -> Throughput:
    """So many requests open at a time."""
    say(f"calls a second, {width} open")
    by_hand = partial(throughput.by_hand, addresses, width, seconds)
    of_hub = partial(throughput.of_hub, addresses, width, seconds)
    return Throughput(width, *in_turns(rounds, of_hub, by_hand, partial(by_hand, tuned=True)))


def more_connectors(addresses: Sequence[str], count: int, rounds: int, seconds: float) -> Growth:
    """So many connectors."""
    say(f"{count} connectors")
    measures = growth.connectors_of_hub, growth.connectors_by_hand
    return Growth(count, *in_turns(rounds, *(partial(each, addresses, count, seconds) for each in measures)))


def more_open(addresses: Sequence[str], count: int, seconds: float) -> Open:
    """So many open requests."""
    say(f"{count} open requests")
    of_hub = partial(growth.open_of_hub, addresses, count, seconds)
    by_hand = partial(growth.open_by_hand, addresses, count, seconds)
    return Open(count, *in_turns(1, partial(of_hub, wait=True), partial(of_hub, wait=False), by_hand))


def parts(addresses: Sequence[str], rounds: int, seconds: float) -> Stages:
    """Every stage."""
    say("stages")
    costs = in_turns(rounds, *(partial(stage, addresses[: stages.CONNECTORS], seconds) for stage in stages.STAGES.values()))
    return Stages(**{name: cost.micros for name, cost in zip(stages.STAGES, costs, strict=True)})


def in_turns(rounds: int, *measures: Measure[Cost]) -> list[Typical]:
    """What each of `measures` finds, each alone, one after another, `rounds` times: so a noisy minute is everybody's."""
    costs = [[alone(measure) for measure in measures] for _ in range(rounds)]
    return [typical(each) for each in zip(*costs, strict=True)]


def say(what: str) -> None:
    """What is being measured now: it takes minutes."""
    print(what, "...", file=sys.stderr, flush=True)


def main() -> None:
    """Read the command line, and do it."""
    parser = ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables between the marks of this page")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to this file")
    parser.add_argument(
        "--quick", action="store_true", help="a glance, in a minute and a half: short measures, and fewer; no page is written"
    )
    told = parser.parse_args()
    results = measured(QUICK if told.quick else FULL)
    print(markdown(results))
    if told.write and not told.quick:
        write(results, told.write)
    if told.json:
        told.json.write_bytes(msgspec.json.format(msgspec.json.encode(results)))


if __name__ == "__main__":
    main()

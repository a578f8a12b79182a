"""`python -m bench`: measures, prints the tables and, where told to, writes them into a page or a file of JSON."""

from __future__ import annotations

import multiprocessing
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import msgspec
import uvloop

from bench import growth, latency, stages, throughput
from bench.backends import backends
from bench.machine import cores, described, settle
from bench.report import Results, markdown, write

P = ParamSpec("P")
T = TypeVar("T")

QUICK, FULL = (1, 0.3), (5, 1.5)
"""Rounds, and seconds of each measure."""


def alone(measure: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **options: P.kwargs) -> T:
    """`measure`, in a fresh process that has the measured core: nothing of what was measured before is left in it."""
    core, _ = cores()
    name = f"{measure.__module__.removeprefix('bench.')}.{measure.__name__}"
    print(f"{name}{args[1:]} ...", file=sys.stderr, flush=True)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=settle, initargs=(core,)) as processes:
        return processes.submit(_run, measure, *args, **options).result()


def _run(measure: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **options: P.kwargs) -> T:
    return uvloop.run(measure(*args, **options))


def measured(rounds: int, seconds: float) -> Results:
    """One run of everything."""
    machine = described()
    _, theirs = cores()
    with backends(max(growth.CONNECTORS), theirs) as addresses:
        speed = alone(throughput.measure, addresses, rounds, seconds)
        half = speed[1].hub.rate / 2, speed[1].hand.rate / 2
        return Results(
            machine,
            speed,
            alone(latency.of_hub, addresses, half[0], 5 * seconds),
            alone(latency.by_hand, addresses, half[1], 5 * seconds),
            [alone(growth.with_connectors, addresses, count, rounds, seconds) for count in growth.CONNECTORS],
            [alone(growth.with_open, addresses, count, 2 * seconds) for count in growth.OPEN],
            alone(stages.measure, addresses, min(rounds, 3), seconds),
        )


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

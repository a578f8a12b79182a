"""How many processes, partitions and bytes of memory a load takes: plays its busiest moment (see README.md)."""

from __future__ import annotations

import json
import math
import sys
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from dataclasses import asdict, dataclass

from simulation import Load, Played, play

DAY = 86_400
FRACTION = 0.001
"""Answers that may be KO for want of a process, of all."""
TRIES = 12
"""Numbers of processes that are played while one is looked for."""
PARTITIONS_A_PROCESS = 2
"""At least: so that what a process leaves behind is shared by several."""
MOST_PARTITIONS = 1024

# What a process holds, in bytes, measured: one that has nothing to do, with one connector and with a thousand, and what a
# call adds while it waits and while it is in the air.
PROCESS = 100 << 20
CONNECTOR = 16 << 10
CALL = 2 << 10
CONNECTION = 8 << 10
SPARE = 1.5
"""What to give to a process over what it was seen to need."""


@dataclass(frozen=True, kw_only=True)
class Sized:
    """What to configure for a load, and what the servers will see of it."""

    carried: bool
    connector_processes: int
    """One of them may be missing at the peak."""
    partitions: int
    connector_memory_mib: int
    """Of each process."""
    hub_processes: int
    """With the roles hub and collector; one of them may be missing."""
    hub_memory_mib: int
    requests_a_second: float
    """At the peak, like all that follows but the last."""
    calls_a_second: float
    messages_a_second: float
    """That brokers take in: envelopes, answers, wake-ups."""
    rows_a_second: float
    """That nodes write, before replication."""
    stored_gib: float
    """What nodes keep of a day's mean, before replication."""


def main() -> int:
    """The exit code."""
    told = _arguments().parse_args()
    rate = told.requests / DAY * told.peak
    load = Load(
        bodies=told.bodies,
        rate=rate,
        median=told.median,
        p99=told.p99,
        hung=told.hung,
        timeout=told.timeout,
        concurrency=told.concurrency,
        queue=told.queue,
        ttl=told.ttl,
        cost=told.connector_cost / 1e6,
        path=told.path,
    )
    least = math.ceil(rate * load.bodies * load.cost / told.busy)
    counts = [told.processes] if told.processes else range(max(1, least - 1), least + TRIES)
    rows: list[tuple[int, Played]] = []
    for count in counts:
        rows.append((count, play(load, _share(count), told.seconds, told.seed)))
        if _carried(rows[-1][1], told.busy):
            break
    count, played = rows[-1]
    sized = _sized(load, count, played, told.busy, told.hub_cost / 1e6, told.bytes, told.requests * told.keep / DAY)
    if told.json:
        document = {"played": [{"processes": each, **asdict(found)} for each, found in rows], "sized": asdict(sized)}
        print(json.dumps(document, indent=1))
    else:
        _print(load, rows, sized, told.busy)
    return 0 if sized.carried else 1


def _share(processes: int) -> float:
    """Of the questions, that the process with the most partitions has."""
    partitions = _partitions(processes)
    return math.ceil(partitions / processes) / partitions


def _partitions(processes: int) -> int:
    """The next power of two, for the processes and the one that may be missing."""
    wanted = PARTITIONS_A_PROCESS * (processes + 1)
    return min(MOST_PARTITIONS, 1 << (wanted - 1).bit_length())


def _carried(played: Played, busy: float) -> bool:
    lost = played.squeezed + played.platform_timeout + played.rejected
    return played.busy <= busy and lost <= FRACTION * played.calls and played.waiting <= FRACTION * played.calls


def _sized(load: Load, count: int, played: Played, busy: float, hub_cost: float, size: int, kept: float) -> Sized:
    calls = load.rate * load.bodies
    hubs = math.ceil(calls * hub_cost / busy)
    holds = PROCESS + load.bodies * CONNECTOR + played.most * (CALL + size) + played.connections * CONNECTION
    # Each hub reads the results of the questions that become complete, and holds each for as long as that takes.
    reads = PROCESS + load.rate / hubs * played.complete[0] * load.bodies * size
    return Sized(
        carried=_carried(played, busy),
        connector_processes=count + 1,
        partitions=_partitions(count),
        connector_memory_mib=_mib(holds * SPARE),
        hub_processes=hubs + 1,
        hub_memory_mib=_mib(reads * SPARE),
        requests_a_second=round(load.rate, 1),
        calls_a_second=round(calls, 1),
        messages_a_second=round(load.rate * (1 + 2 * played.messages), 1),
        rows_a_second=round(load.rate * (1 + played.messages), 1),
        stored_gib=round(kept * load.bodies * (size + 200) / (1 << 30), 2),
    )


def _mib(size: float) -> int:
    """Rounded up to what one would write down."""
    return math.ceil(size / (1 << 20) / 64) * 64


def _print(load: Load, rows: list[tuple[int, Played]], sized: Sized, busy: float) -> None:
    print(f"{load.rate:,.1f} questions a second at the peak, {load.rate * load.bodies:,.0f} calls a second\n")
    heads = (
        "processes",
        "busy",
        "complete p50",
        "p99",
        "added p50",
        "p99",
        "backend_timeout",
        "squeezed",
        "platform_timeout",
        "rejected",
    )
    lines: list[tuple[str, ...]] = [(*heads, "in lines at the end")]
    for count, played in rows:
        kos = (played.backend_timeout, played.squeezed, played.platform_timeout, played.rejected)
        times = (f"{seconds:.2f} s" for seconds in (*played.complete, *played.added))
        shares = (f"{ko / played.calls:.2%}" for ko in kos)
        lines.append((str(count), f"{played.busy:.0%}", *times, *shares, f"{played.waiting:,}"))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
    if not sized.carried:
        print(
            f"\nThat does not carry the load: a processor is more than {busy:.0%} busy, or some bodies' lines grow:"
            " more processes, a larger concurrency, or a shorter timeout for bodies that hang."
        )
        return
    print(f"""
connectors   {sized.connector_processes} processes of {sized.connector_memory_mib} MiB and one core (one of them may be missing)
partitions   {sized.partitions}
hubs         {sized.hub_processes} processes of {sized.hub_memory_mib} MiB and one core, roles hub and collector (one of them may be missing)
Kafka        {sized.messages_a_second:,.0f} messages a second
Cassandra    {sized.rows_a_second:,.0f} rows a second, {sized.stored_gib:,.1f} GiB kept of a day's mean, before replication""")


def _arguments() -> ArgumentParser:
    parser = ArgumentParser(prog="sizing.py", description=__doc__, formatter_class=ArgumentDefaultsHelpFormatter)
    for name, kind, default, what in (
        ("bodies", int, 1000, "bodies that each question asks"),
        ("requests", int, 1_000_000, "questions a day"),
        ("peak", float, 5.0, "the busiest moment over the day's mean"),
        ("median", float, 0.3, "seconds that a body takes, half of the time at most"),
        ("p99", float, 2.0, "seconds that a body takes, 99 times of 100 at most"),
        ("hung", float, 0.01, "share of the bodies that never answer"),
        ("timeout", float, 3.0, "seconds that a call may take"),
        ("concurrency", int, 32, "calls in the air at a time, of a body and a process"),
        ("queue", int, 10_000, "questions that may wait for a body in a process"),
        ("ttl", float, 60.0, "seconds that a question may take"),
        ("keep", float, 600.0, "seconds that its results can be read"),
        ("bytes", int, 1000, "of an answer's data"),
        ("connector-cost", float, 100.0, "microseconds of processor time that a call costs in a connector process"),
        ("hub-cost", float, 70.0, "microseconds of processor time that a call costs in hubs and collectors"),
        ("path", float, 0.02, "seconds that log, rows and wake-up take, there and back"),
        ("busy", float, 0.6, "how busy a processor may be at the peak, with one process missing"),
        ("processes", int, None, "connector processes that run; unless given, enough are looked for"),
        ("seconds", float, 60.0, "of the peak that are played; lines that grow need longer than the ttl to show it"),
        ("seed", int, 1, "of the dice"),
    ):
        parser.add_argument(f"--{name}", type=kind, default=default, help=what)
    parser.add_argument("--json", action="store_true", help="everything as one JSON document")
    return parser


if __name__ == "__main__":
    sys.exit(main())

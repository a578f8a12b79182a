"""The hub on the embedded engine, beside the same calls by hand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec

from bench import growth, isolation, latency, stages, throughput
from bench.growth import Growth, Open
from bench.isolation import Isolation
from bench.latency import Latency
from bench.load import in_turns, say
from bench.machine import alone
from bench.stages import Stages
from bench.throughput import Throughput


class Embedded(msgspec.Struct, frozen=True):
    """One run."""

    throughput: Sequence[Throughput]
    latency: Latency
    latency_by_hand: Latency
    connectors: Sequence[Growth]
    open: Sequence[Open]
    isolation: Isolation
    stages: Stages


def measured(addresses: Sequence[str], core: int, rounds: int, seconds: float, opens: Sequence[int]) -> Embedded:
    """All of it. `core`: that of the back ends; `opens`: numbers of open requests."""
    speed = [calls_a_second(addresses, width, rounds, seconds) for width in throughput.WIDTHS]
    say("latency at half load")
    of_hub = alone(partial(latency.of_hub, addresses, 8 * seconds))
    by_hand = alone(partial(latency.by_hand, addresses, 8 * seconds))
    connectors = [more_connectors(addresses, count, rounds, seconds) for count in growth.CONNECTORS]
    open_ = [more_open(addresses, count, 3 * seconds) for count in opens]
    beside_sick = isolation.measured(addresses, core, rounds, 4 * seconds)
    return Embedded(speed, of_hub, by_hand, connectors, open_, beside_sick, parts(addresses, rounds, seconds))


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

"""The rules of the read side against every kind of schedule, and each rule's own necessity.

The same invariants as the executable specification: what was final stays so (I1), what was shown stays (I2), a late read
gets to final (I4), cancelled stays gone (I6), complete means that every OK counts (I7). Schedules are random and
repeatable; a rule taken out must be caught by one of them, or the rule is not tested.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

from esclusa.hub import final, pack, results
from esclusa.hub.collect import Collector
from esclusa.hub.final import View, read_view
from esclusa.hub.stored import (
    CLOSING,
    SEAL,
    SealHead,
    encode,
)
from esclusa.kernel.clock import Clock
from esclusa.ports.records import Records, Row
from esclusa.testing.virtual import run
from support.play import Broken, perform
from support.reads import ID, ReadPlay

ROUNDS = 1000
STEPS = 45


def test_no_schedule_breaks_a_promise() -> None:
    for seed in range(ROUNDS):
        run(perform(ReadPlay, seed, STEPS))


# ---- each rule taken out

Settle = Callable[..., Any]


def settling(change: Settle) -> Any:
    return mock.patch.object(results, "finalise", change)


async def no_seal(_: Records, clock: Clock, __: bytes, view: View, ___: Any) -> Any:
    over = view.everyone or clock.millis() >= view.request.times.deadline
    return view, view.answers.keys() if over else None


async def plain_seal(records: Records, clock: Clock, id: bytes, view: View, bodies: Any) -> Any:
    if view.seal is None:
        if view.everyone:
            return view, view.answers.keys()
        if clock.millis() < view.request.times.deadline:
            return view, None
        await records.add(id, Row(SEAL, encode(SealHead(list(view.answers))), b"", view.request.times.expires))
        view = await read_view(records, id, bodies)
    return view, view.seal


async def everyone_beats_the_seal(records: Records, clock: Clock, id: bytes, view: View, bodies: Any) -> Any:
    if view.everyone:
        return view, view.answers.keys()
    return await final.finalise(records, clock, id, view, bodies)


async def shows_what_was_read_before(records: Records, clock: Clock, id: bytes, view: View, bodies: Any) -> Any:
    _, counted = await final.finalise(records, clock, id, view, bodies)
    return view, None if counted is None else [name for name in counted if name in view.answers]


async def seals_a_stale_read(records: Records, clock: Clock, id: bytes, view: View, bodies: Any) -> Any:
    if view.seal is not None:
        return view, view.seal
    if not view.closing and (view.everyone or clock.millis() < view.request.times.deadline):
        return await final.finalise(records, clock, id, view, bodies)
    expires = view.request.times.expires
    await records.put(id, [Row(CLOSING, b"", b"", expires)])
    await records.add(id, Row(SEAL, encode(SealHead(list(view.answers))), b"", expires))
    view = await read_view(records, id, bodies)
    return view, view.seal


async def waits_for_who_closed(records: Records, clock: Clock, id: bytes, view: View, bodies: Any) -> Any:
    if view.closing and view.seal is None:
        return view, None
    return await final.finalise(records, clock, id, view, bodies)


def last_wins() -> Any:
    return mock.patch.object(pack, "_place", lambda row: -row.rank)


@contextmanager
def writes_go_on() -> Iterator[None]:
    """A write that was not acknowledged holds up no later one of its request."""

    def take(self: Collector, taken: Any, message: Any) -> None:
        self._writing.pop(ID.bytes, None)
        original(self, taken, message)

    def written(self: Collector, write: Any) -> None:
        self._commits.finish(write.partition, write.offset)

    original = Collector._take
    with mock.patch.object(Collector, "_take", take), mock.patch.object(Collector, "_next", written):
        yield


@contextmanager
def cancel_only_deletes() -> Iterator[None]:
    def forget(world: Any, key: bytes, _: int, now: int) -> None:
        original(world, key, now, now)

    from esclusa.engines.memory import World

    original = World.forget
    with mock.patch.object(World, "forget", forget):
        yield


@pytest.mark.parametrize(
    ("without", "breaks"),
    [
        (lambda: settling(no_seal), {"I1", "I2"}),
        (lambda: settling(plain_seal), {"I1", "I2"}),
        (lambda: settling(everyone_beats_the_seal), {"I1"}),
        (lambda: settling(shows_what_was_read_before), {"I1", "I2"}),
        (lambda: settling(seals_a_stale_read), {"I1", "I2"}),
        (lambda: settling(waits_for_who_closed), {"I1", "I2", "I4"}),
        (last_wins, {"I1", "I2"}),
        (writes_go_on, {"I1", "I2"}),
        (cancel_only_deletes, {"I6"}),
    ],
    ids=[
        "seal=none", "seal=plain", "winner=all", "reread=False", "seal=stale", "helps=False", "stamps=last", "order=False",
        "cancel=deletes",
    ],
)  # fmt: skip
def test_a_rule_taken_out_is_caught(without: Callable[[], Any], breaks: Collection[str]) -> None:
    with without():
        for seed in range(5000):
            try:
                run(perform(ReadPlay, seed, STEPS))
            except Broken as broken:
                assert str(broken)[:2] in breaks  # noqa: PT017 - any one of many schedules may catch it
                return
    pytest.fail("no schedule catches it")

"""The rules of the call side against every kind of schedule, and each rule's own necessity.

The same invariants as the executable specification: a call whose answer the log had when the process was given the
partition is not made again, and one is made at most once more a fault (I3); one idempotency key is one request, asked
once, and a 202 means that it will be (I5); whatever the log acknowledged can be opened (KEY). As in `test_read_side`,
schedules are random and repeatable, and a rule taken out must be caught by one of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

from esclusa.hub.idempotency import IdempotencyKeys
from esclusa.hub.pool import Pool
from esclusa.hub.positions import Tracker
from esclusa.hub.recovery import Recovery
from esclusa.hub.request_partition import RequestPartition
from esclusa.hub.submit import Submitter
from esclusa.hub.vault import Sealer, Vault
from esclusa.ports.log import Assigned
from esclusa.testing.virtual import run
from support.calls import CallPlay, PoolProcess
from support.play import Broken, perform

ROUNDS = 300
STEPS = 40
RAREST = 191


def test_no_schedule_breaks_a_promise() -> None:
    for seed in range(ROUNDS):
        run(perform(CallPlay, seed, STEPS))


# ---- each rule taken out


def no_recovery() -> Any:
    async def answered(*_: Any) -> dict[str, int]:
        return {}

    return mock.patch.object(Recovery, "answered", answered)


def consumed_is_committed() -> Any:
    return mock.patch.object(Tracker, "position", property(lambda self: self.next))


@contextmanager
def highest_finished_is_committed() -> Iterator[None]:
    def finish(self: Tracker, offset: int) -> None:
        original(self, offset)
        if offset not in self._holds:
            highest[id(self)] = max(offset + 1, highest.get(id(self), 0))

    highest: dict[int, int] = {}
    original = Tracker.finish
    position = property(lambda self: highest.get(id(self), 0))
    with mock.patch.object(Tracker, "finish", finish), mock.patch.object(Tracker, "position", position):
        yield


@contextmanager
def only_what_is_in_flight_is_remembered() -> Iterator[None]:
    def land(self: Pool, flight: Any) -> None:
        self._repetitions.discard(flight.envelope)
        original(self, flight)

    original = Pool._land
    with mock.patch.object(Pool, "_land", land):
        yield


def beyond_the_noted_end_is_new() -> Any:
    def init(self: RequestPartition, event: Assigned, _: int) -> None:
        original(self, event, 0)

    original = RequestPartition.__init__
    return mock.patch.object(RequestPartition, "__init__", init)


def no_margin_for_skew() -> Any:
    def exact(self: Recovery, log: Any, answers: Any, partition: int, _: int) -> None:
        original(self, log, answers, partition, 0)

    original = Recovery.__init__
    return mock.patch.object(Recovery, "__init__", exact)


@contextmanager
def key_row_is_read_then_written() -> Iterator[None]:
    async def claim(self: IdempotencyKeys, key: bytes, plan: Any, sealer: Sealer, submission: Any) -> Any:
        if await self._records.read(key):
            return await original(self, key, plan, sealer, submission)
        await original(self, key, plan, sealer, submission)
        return plan, False

    original = IdempotencyKeys.claim
    with mock.patch.object(IdempotencyKeys, "claim", claim):
        yield


@contextmanager
def repetition_trusts_the_key_row() -> Iterator[None]:
    async def claim(self: IdempotencyKeys, key: bytes, plan: Any, sealer: Sealer, submission: Any) -> Any:
        first, _ = await original(self, key, plan, sealer, submission)
        return first, first is not plan

    original = IdempotencyKeys.claim
    with mock.patch.object(IdempotencyKeys, "claim", claim):
        yield


@contextmanager
def reply_before_the_envelope_is_acknowledged() -> Iterator[None]:
    async def ask(self: Submitter, plan: Any, sealer: Sealer) -> None:
        asyncio.ensure_future(original(self, plan, sealer)).add_done_callback(lambda task: task.cancelled() or task.exception())

    original = Submitter._append
    with mock.patch.object(Submitter, "_append", ask):
        yield


@contextmanager
def key_is_stored_after_its_first_use() -> Iterator[None]:
    async def sealer(self: Vault, expires: int) -> Sealer:
        bucket = expires // 10_000
        if bucket not in self._sealers:
            id, secret = self._ids.secret(16), self._ids.secret(32)
            self._sealers[bucket] = Sealer(id, secret, expires + 10_000)
            if len(self._sealers) > 99:
                await self._keys.make(id, secret, expires + 10_000)
        return self._sealers[bucket]

    with mock.patch.object(PoolProcess, "__init__", _with_late_keys(sealer)):
        yield


def _with_late_keys(sealer: Any) -> Any:
    def init(self: PoolProcess, play: CallPlay, number: int) -> None:
        original(self, play, number)
        self.vault.sealer = sealer.__get__(self.vault)

    original = PoolProcess.__init__
    return init


@pytest.mark.parametrize(
    ("without", "breaks"),
    [
        (no_recovery, {"I3"}),
        (consumed_is_committed, {"I5"}),
        (highest_finished_is_committed, {"I5"}),
        (only_what_is_in_flight_is_remembered, {"I3"}),
        (beyond_the_noted_end_is_new, {"I3"}),
        (no_margin_for_skew, {"I3"}),
        (key_row_is_read_then_written, {"I5"}),
        (repetition_trusts_the_key_row, {"I5"}),
        (reply_before_the_envelope_is_acknowledged, {"I5"}),
        (key_is_stored_after_its_first_use, {"KE"}),
    ],
    ids=[
        "recovery=none", "commit=consumed", "commit=highest", "hold=flight", "newer=position", "since=exact", "idem=readwrite",
        "repeat=row", "reply=early", "key=after",
    ],
)  # fmt: skip
def test_a_rule_taken_out_is_caught(without: Callable[[], Any], breaks: set[str]) -> None:
    with without():
        # Most are caught within a few; the first of these is one that catches the rarest.
        for seed in (RAREST, *range(2000)):
            try:
                run(perform(CallPlay, seed, STEPS))
            except Broken as broken:
                assert str(broken)[:2] in breaks, broken  # noqa: PT017 - any one of many schedules may catch it
                return
    pytest.fail("no schedule catches it")

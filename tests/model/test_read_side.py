"""The rules of the read side against every kind of schedule, and each rule's own necessity.

The same invariants as the executable specification: what was final stays so (I1), what was shown stays (I2), a late read
gets to final (I4), cancelled stays gone (I6), complete means that every OK counts (I7). Schedules are random and
repeatable; a rule taken out must be caught by one of them, or the rule is not tested.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock
from uuid import UUID

import pytest

from esclusa.connectors.backend import Reason
from esclusa.connectors.settings import ConnectorSettings
from esclusa.engines.memory import MemoryEngine
from esclusa.hub import collect, final, results
from esclusa.hub.collect import Collector
from esclusa.hub.envelope import (
    CLOSING,
    REQUEST,
    SEAL,
    VERSION,
    AnswerPart,
    Answers,
    Asked,
    RequestHead,
    SealHead,
    Times,
    encode,
)
from esclusa.hub.final import View, read
from esclusa.hub.inventory import Inventory
from esclusa.hub.results import Results
from esclusa.hub.settings import PoolSettings, QuerySettings
from esclusa.hub.topics import pool_topics
from esclusa.hub.vault import Vault
from esclusa.hub.wakeups import Wakeups
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import NotFound, Unavailable
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.signal import Signals
from esclusa.ports.records import Records, Row
from esclusa.testing.stage import Stage, Step
from esclusa.testing.virtual import EPOCH, run, settle

ID = UUID(int=7)
NAMES = ["a", "b"]
TTL, KEEP = 60_000, 600_000
LOGS = ["aab", "aba", "baa", "ab"]
TOPICS = pool_topics({"default": PoolSettings(partitions=1)}, {"q": QuerySettings()})["default"]

Shown = tuple[int | None, ...]


class Broken(AssertionError):
    """An invariant does not hold."""


class Play:
    """One request, two collectors, two readers whose clocks differ, somebody who may cancel; and what was shown so far."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.clock = Clock(epoch=EPOCH)
        self.engine = MemoryEngine(self.clock)
        self.stage = Stage()
        self.landing: list[Step] = []
        self.delays = 2
        self.told: list[str] = []
        self.collectors: list[tuple[MemoryEngine, Collector]] = []
        self.readers = [self.reader(f"reader {n}") for n in range(2)]
        self.late = [False, False]
        self.looks: dict[int, asyncio.Task[None]] = {}
        self.cancelling: asyncio.Future[None] | None = None
        self.final: Shown | None = None
        self.seen: list[int | None] = [None, None]

    def reader(self, who: str) -> Results:
        ids = Ids(self.clock, seed=1)
        records = self.stage.records(who, self.engine.records)
        wakeups = Wakeups(self.engine.log, self.clock, lambda *_: None)
        inventory = Inventory({name: ConnectorSettings(url="http://x/") for name in NAMES}, {"q": QuerySettings()})
        return Results(inventory, records, Vault(self.engine.keys, self.clock, ids), wakeups, self.clock)

    async def begin(self) -> None:
        created = self.clock.millis()
        times = Times(created, created + TTL - 1000, created + TTL, created + KEEP)
        sealer = await Vault(self.engine.keys, self.clock, Ids(self.clock)).sealer(times.expires)
        asked = sealer.seal(encode(Asked("me", "q", "s", {})), ID.bytes)
        row = Row(REQUEST, encode(RequestHead(VERSION, times, NAMES)), asked, times.expires)
        await self.engine.records.put(ID.bytes, [row])
        # A repeated submission writes the request's row once more, and nobody knows when that lands.
        self.landing.append(Step("submitter", "put", (REQUEST,), lambda: self.engine.records.put(ID.bytes, [row])))
        await self.engine.upkeep.setup([TOPICS.answers])
        counts = dict.fromkeys(NAMES, 0)
        for name in self.dice.choice(LOGS):
            counts[name] += 1
            reason = None if counts[name] == 1 else Reason.BACKEND_ERROR
            part = AnswerPart(name, reason, "", counts[name], 1, b"")
            await self.engine.log.append(TOPICS.answers, ID.bytes, encode(Answers(VERSION, ID.bytes, times.expires, [part])))
        await self.join()

    async def join(self) -> None:
        """Another collector; the one before it dies, but what it has asked for may still happen."""
        engine = self.engine.beside(self.clock)
        if self.collectors:
            self.collectors[-1][0].kill()
        records = self.stage.records(f"collector {len(self.collectors)}", self.engine.records)
        collector = Collector(TOPICS, engine.log, records, self.clock, Instrument(), Signals())
        self.collectors.append((engine, collector))
        await collector.start()
        await settle()

    # ---- what may happen next

    def actions(self) -> list[tuple[str, Callable[[], Any]]]:
        actions: list[tuple[str, Callable[[], Any]]] = []
        for step in self.stage.waiting:
            actions.append((f"{step}", lambda step=step: self.happen(step)))
            if self.delays and step.what != "read":
                actions.append((f"{step}, timed out", lambda step=step: self.delay(step)))
        for step in self.landing:
            actions.append((f"{step} lands", lambda step=step: self.land(step)))
        for r in range(2):
            if r not in self.looks or self.looks[r].done():
                actions.append((f"reader {r} looks", lambda r=r: self.look(r)))
            if not self.late[r]:
                actions.append((f"the deadline passes for reader {r}", lambda r=r: self.pass_deadline(r)))
        if len(self.collectors) < 2:
            actions.append(("the collector dies, another comes", self.join))
        if self.cancelling is None and self.dice.random() < 0.02:
            actions.append(("cancel", self.cancel))
        return actions

    async def happen(self, step: Step) -> None:
        self.stage.waiting.remove(step)
        await step.take()

    async def delay(self, step: Step) -> None:
        self.stage.waiting.remove(step)
        self.delays -= 1
        self.landing.append(step)
        await step.time_out()
        await self.clock.sleep(collect.RETRY * 2)  # collectors try again
        await settle()

    async def land(self, step: Step) -> None:
        self.landing.remove(step)
        await step.take()

    async def pass_deadline(self, r: int) -> None:
        self.late[r] = True
        self.readers[r]._clock = Clock(epoch=EPOCH + TTL / 1000 + 1)

    async def cancel(self) -> None:
        self.cancelling = self.stage.records("canceller", self.engine.records).forget(ID.bytes, self.clock.millis() + KEEP)

    async def look(self, r: int) -> None:
        after = self.cancelling is not None and self.cancelling.done() and self.cancelling.exception() is None
        self.looks[r] = asyncio.ensure_future(self.looking(r, (tuple(self.seen), self.final), after=after))
        await settle()

    async def looking(self, r: int, before: tuple[Shown, Shown | None], *, after: bool) -> None:
        try:
            look = await self.readers[r].look(ID.bytes, "me", bodies=True)
        except NotFound:
            if self.cancelling is None:
                raise Broken(f"I2: reader {r} is told that there is nothing") from None
            return
        except Unavailable:
            return
        counted = look.view.heads if look.counted is None else look.counted
        shown = tuple(look.view.heads[name].attempts if name in counted else None for name in NAMES)
        self.check(r, shown, before, final=look.counted is not None, after=after)

    # ---- the invariants

    def check(self, r: int, shown: Shown, before: tuple[Shown, Shown | None], *, final: bool, after: bool) -> None:
        self.told.append(f"reader {r} shows {shown}{' FINAL' if final else ''}")
        if after:
            raise Broken("I6: a read begun after the cancel was acknowledged sees the request")
        if self.cancelling is not None:
            return
        was, was_final = before
        if (final and self.final not in {None, shown}) or (was_final is not None and not final):
            raise Broken(f"I1: final was {self.final}, now {shown}")
        if any(old is not None and old != new for old, new in zip(was, shown, strict=True)):
            raise Broken(f"I2: shown was {was}, now {shown}")
        if any(None not in {old, new} and old != new for old, new in zip(self.seen, shown, strict=True)):
            raise Broken(f"I2: shown was {self.seen}, now {shown}")
        if self.final is not None and any(new is not None and old != new for old, new in zip(self.final, shown, strict=True)):
            raise Broken(f"I2: shows {shown}, but final is {self.final}")
        if final:
            self.final = shown
            self.seen = [None, None]
        elif self.final is None:
            self.seen = [new if new is not None else old for old, new in zip(self.seen, shown, strict=True)]

    async def finish(self) -> None:
        """From here on nothing goes wrong: a reader past the deadline gets to final."""
        self.landing.clear()
        if self.cancelling is not None:
            return
        await self.pass_deadline(0)
        for _ in range(2):
            await self.look(0)
            for _ in range(20):
                if self.looks[0].done():
                    break
                for step in list(self.stage.waiting):
                    if step.who == "reader 0":
                        await self.happen(step)
            self.looks[0].result()
        if self.final is None:
            raise Broken("I4: a reader past the deadline, alone, never gets to final")


async def play(seed: int, steps: int = 45) -> None:
    it = Play(seed)
    await it.begin()
    try:
        for _ in range(steps):
            what, act = it.dice.choice(it.actions())
            it.told.append(what)
            await act()
            for look in it.looks.values():
                if look.done():
                    look.result()
        await it.finish()
    except Broken as broken:
        raise Broken(f"{broken}\nseed {seed}:\n  " + "\n  ".join(it.told)) from None
    finally:
        for engine, collector in it.collectors:
            engine.kill()
            await collector.background.cancel()
        for look in it.looks.values():
            look.cancel()
        await asyncio.gather(*it.looks.values(), return_exceptions=True)


ROUNDS = 2000


def test_no_schedule_breaks_a_promise() -> None:
    for seed in range(ROUNDS):
        run(play(seed))


# ---- each rule taken out

Settle = Callable[..., Any]


def settling(change: Settle) -> Any:
    return mock.patch.object(results, "settle", change)


async def no_seal(_: Records, clock: Clock, __: bytes, view: View, ___: Any) -> Any:
    over = view.everyone or clock.millis() >= view.request.times.deadline
    return view, view.heads.keys() if over else None


async def plain_seal(records: Records, clock: Clock, id: bytes, view: View, bodies: Any) -> Any:
    if view.seal is None:
        if view.everyone:
            return view, view.heads.keys()
        if clock.millis() < view.request.times.deadline:
            return view, None
        await records.add(id, Row(SEAL, encode(SealHead(list(view.heads))), b"", view.request.times.expires))
        view = await read(records, id, bodies)
    return view, view.seal


async def everyone_beats_the_seal(records: Records, clock: Clock, id: bytes, view: View, bodies: Any) -> Any:
    if view.everyone:
        return view, view.heads.keys()
    return await final.settle(records, clock, id, view, bodies)


async def shows_what_was_read_before(records: Records, clock: Clock, id: bytes, view: View, bodies: Any) -> Any:
    _, counted = await final.settle(records, clock, id, view, bodies)
    return view, None if counted is None else [name for name in counted if name in view.heads]


async def seals_a_stale_read(records: Records, clock: Clock, id: bytes, view: View, bodies: Any) -> Any:
    if view.seal is not None:
        return view, view.seal
    if not view.closing and (view.everyone or clock.millis() < view.request.times.deadline):
        return await final.settle(records, clock, id, view, bodies)
    expires = view.request.times.expires
    await records.put(id, [Row(CLOSING, b"", b"", expires)])
    await records.add(id, Row(SEAL, encode(SealHead(list(view.heads))), b"", expires))
    view = await read(records, id, bodies)
    return view, view.seal


async def waits_for_who_closed(records: Records, clock: Clock, id: bytes, view: View, bodies: Any) -> Any:
    if view.closing and view.seal is None:
        return view, None
    return await final.settle(records, clock, id, view, bodies)


def last_wins() -> Any:
    return mock.patch.object(collect, "PLACES", -collect.PLACES)


@contextmanager
def writes_go_on() -> Iterator[None]:
    """A write that was not acknowledged holds up no later one of its request."""

    def take(self: Collector, taken: Any, message: Any) -> None:
        self._writing.pop(ID.bytes, None)
        original(self, taken, message)

    def written(self: Collector, write: Any) -> None:
        self._commits.finish(write.partition, write.offset)

    original = Collector._take
    with mock.patch.object(Collector, "_take", take), mock.patch.object(Collector, "_written", written):
        yield


@contextmanager
def cancel_only_deletes() -> Iterator[None]:
    def forget(world: Any, key: bytes, until: int, now: int) -> None:
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
                run(play(seed))
            except Broken as broken:
                assert str(broken)[:2] in breaks  # noqa: PT017 - any one of many schedules may catch it
                return
    pytest.fail("no schedule catches it")

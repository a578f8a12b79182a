"""The rules of the call side against every kind of schedule, and each rule's own necessity.

The same invariants as the executable specification: a call whose answer the log had when the process was given the
partition is not made again, and one is made at most once more a fault (I3); one idempotency key is one request, asked
once, and a 202 means that it will be (I5); whatever the log acknowledged can be opened (KEY). As in `test_read_side`,
schedules are random and repeatable, and a rule taken out must be caught by one of them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

from esclusa.connectors.connector import Connector
from esclusa.connectors.settings import ConnectorSettings
from esclusa.engines.memory import MemoryEngine
from esclusa.hub.admission import Admission
from esclusa.hub.envelope import Answers, Envelope, decode
from esclusa.hub.inventory import Inventory
from esclusa.hub.pool import Pool
from esclusa.hub.recovery import Recovery
from esclusa.hub.results import Results
from esclusa.hub.settings import HubSettings, PoolSettings, QuerySettings
from esclusa.hub.submission import Receipt, Submission
from esclusa.hub.submit import Submitter
from esclusa.hub.topics import CANCELS, pool_topics
from esclusa.hub.tracker import Tracker
from esclusa.hub.vault import Sealer, Vault
from esclusa.hub.wakeups import Wakeups
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Unavailable, Unreadable
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.signal import Signals
from esclusa.testing.backends import Attempt, ScriptedBackend, waits
from esclusa.testing.stage import Stage, Step
from esclusa.testing.virtual import EPOCH, run, settle

NAMES = ["a", "b"]
SETTINGS = HubSettings()
QUERIES = {"q": QuerySettings()}
TOPICS = pool_topics({"default": PoolSettings(partitions=1)}, QUERIES)
PAIR = TOPICS["default"]
SKEWS = (-0.9, 0.0, 0.05)
"""Seconds by which the pools' clocks differ from the hubs': the first one's answers look older than the envelope."""


class Broken(AssertionError):
    """An invariant does not hold."""


class PoolProcess:
    """A process with the pool's connectors. Once it has lost the partition it may live on: a zombie."""

    def __init__(self, play: Play, number: int) -> None:
        self.play = play
        self.name = f"pool {number}"
        self.engine = play.engine.beside(play.clock)
        clock = Clock(epoch=EPOCH + asyncio.get_running_loop().time() + SKEWS[number % len(SKEWS)])
        ids = Ids(clock)
        self.vault = Vault(play.engine.keys, clock, ids)
        self.backends = {name: ScriptedBackend(clock, self.called) for name in NAMES}
        settings = ConnectorSettings(url="http://x/")
        connectors = {name: Connector(name, self.backends[name], settings, clock, ids, Instrument()) for name in NAMES}
        self.connectors = connectors
        log = play.stage.log(self.name, _Divided(self.engine, play.engine.beside(clock)))
        self.pool = Pool(PAIR, connectors, log, self.vault, SETTINGS, clock, Instrument(), Signals())
        self.known: set[str] = set()
        self.zombie = False

    def called(self, attempt: Attempt) -> None:
        name = next(name for name, backend in self.backends.items() if attempt in backend.attempts)
        self.play.told.append(f"{self.name} calls {name}")
        if name in self.known:
            self.play.broken = f"I3: {self.name} calls {name}, whose answer the log had when it was given the partition"
        self.play.calls[name] += 1
        if self.play.calls[name] > 1 + self.play.faults:
            self.play.broken = f"I3: {self.play.calls[name]} calls of {name} with {self.play.faults} faults"
        waits(attempt)

    async def start(self) -> None:
        self.known = await self.play.answered()
        await self.pool.start()
        await settle()

    def lose(self) -> None:
        """It consumes and commits no more; what it is calling and appending goes on."""
        self.zombie = True
        self.engine.kill()

    async def die(self) -> None:
        self.zombie = False
        self.engine.kill()
        await self.pool.background.cancel()
        for connector in self.connectors.values():
            await connector.close()


class _Divided:
    """Subscribes as a process that can lose it all, appends as one that nobody stops."""

    def __init__(self, own: MemoryEngine, root: MemoryEngine) -> None:
        self.subscribe = own.log.subscribe
        self.append = root.log.append
        self.read = root.log.read
        self.end = root.log.end

    async def close(self) -> None:
        pass


class Play:
    """One question submitted twice under one key, pools that come and go, and the log between them."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.clock = Clock(epoch=EPOCH)
        self.engine = MemoryEngine(self.clock)
        self.stage = Stage()
        self.landing: list[Step] = []
        self.delays = 1
        self.faults = 0
        self.told: list[str] = []
        self.calls = dict.fromkeys(NAMES, 0)
        self.pools: list[PoolProcess] = []
        self.late = False
        self.others = False
        self.broken = ""
        """Said by a back end, whose own errors are a connector's daily bread."""
        self.keyed = self.dice.random() < 0.7
        self.submits: list[asyncio.Task[Receipt]] = []

    def submitter(self, number: int) -> Submitter:
        ids = Ids(self.clock)
        instrument = Instrument()
        records = self.stage.records(f"hub {number}", self.engine.records)
        log = self.stage.log(f"hub {number}", self.engine.log)
        inventory = Inventory({name: ConnectorSettings(url="http://x/") for name in NAMES}, QUERIES)
        vault = Vault(self.engine.keys, self.clock, ids)

        async def nobody(_: bytes) -> bool:
            return False

        admission = Admission(SETTINGS, self.clock, ids, instrument, nobody)
        results = Results(inventory, records, vault, Wakeups(log, self.clock, admission.heard), self.clock)
        return Submitter(inventory, TOPICS, log, records, vault, results, admission, SETTINGS, self.clock, ids, instrument)

    async def begin(self) -> None:
        await self.engine.upkeep.setup([PAIR.requests, PAIR.answers, CANCELS])
        if self.dice.random() < 0.5:
            await self.submit()
        await self.join()
        if self.dice.random() < 0.5:
            await self.rest()

    async def answered(self) -> set[str]:
        return {part.connector for answers in await self.logged(Answers) for part in answers.parts}

    async def logged(self, kind: type[Any]) -> list[Any]:
        topic = PAIR.answers if kind is Answers else PAIR.requests
        end = await self.engine.log.end(topic, 0)
        batches = [batch async for batch in self.engine.log.read(topic, 0, 0, end)]
        return [decode(kind, message.value) for batch in batches for message in batch if message.key != b"other"]

    # ---- what may happen next

    def progress(self) -> list[tuple[str, Callable[[], Any]]]:
        """What happens when nothing goes wrong: more often than the rest."""
        steps = [(f"{step}", lambda step=step: self.happen(step)) for step in self.stage.waiting]
        answers = [
            (f"{pool.name}: {name} answers", lambda attempt=attempt: self.answer(attempt))
            for pool in self.pools
            for name, backend in pool.backends.items()
            for attempt in backend.open
        ]
        return [*steps, *answers]

    def actions(self) -> list[tuple[str, Callable[[], Any]]]:
        actions = 3 * self.progress()
        for step in self.stage.waiting:
            if self.delays and step.what not in {"read", "end"}:
                actions.append((f"{step}, timed out", lambda step=step: self.delay(step)))
        actions += [(f"{step} lands", lambda step=step: self.land(step)) for step in self.landing]
        if len(self.submits) < (2 if self.keyed else 1):
            actions.append(("submit", self.submit))
        if not self.others:
            actions.append(("another request's envelope is appended", self.other))
        if self.dice.random() < 0.1:
            actions.append(("time passes", self.rest))
        if self.faults < 2:
            actions.append(("the pool loses its partition, another comes", self.join))
        actions += [(f"{pool.name} dies", pool.die) for pool in self.pools if pool.zombie]
        if not self.late and self.submits and self.dice.random() < 0.03:
            actions.append(("callBy passes", self.pass_call_by))
        return actions

    async def happen(self, step: Step) -> None:
        self.stage.waiting.remove(step)
        await step.take()

    async def delay(self, step: Step) -> None:
        self.stage.waiting.remove(step)
        self.delays -= 1
        self.landing.append(step)
        await step.time_out()

    async def land(self, step: Step) -> None:
        self.landing.remove(step)
        await step.take()

    async def answer(self, attempt: Attempt) -> None:
        attempt.answer()
        await self.clock.sleep(0.01)
        await settle()

    async def submit(self) -> None:
        key = "key" if self.keyed else None
        submission = Submission(caller="me", query="q", subject="12345678Z", idempotency_key=key)
        self.submits.append(asyncio.ensure_future(self.submitter(len(self.submits)).submit(submission)))
        await settle()

    async def other(self) -> None:
        """One that is done with at once, whatever becomes of the first."""
        self.others = True
        await self.engine.log.append(PAIR.requests, b"other", b"not for us")
        await self.clock.sleep(0.06)
        await settle()

    async def rest(self) -> None:
        """So long that what is made now was made after the partition was given, whatever the skew."""
        await self.clock.sleep(2.5)
        await settle()

    async def join(self) -> None:
        if self.pools:
            self.faults += 1
            self.pools[-1].lose()
        self.pools.append(PoolProcess(self, len(self.pools)))
        await self.pools[-1].start()
        await self.clock.sleep(0.06)
        await settle()

    async def pass_call_by(self) -> None:
        self.late = True
        await self.clock.sleep(59.0)
        await settle()

    # ---- the invariants

    def receipts(self) -> list[Receipt]:
        given = []
        for submit in self.submits:
            if submit.done() and not submit.cancelled():
                error = submit.exception()
                if error is None:
                    given.append(submit.result())
                elif not isinstance(error, Unavailable):
                    raise error
        return given

    async def check(self) -> None:
        if self.broken:
            raise Broken(self.broken)
        for pool in self.pools:
            for task in list(pool.pool.background._tasks):
                if task.done() and not task.cancelled():
                    task.result()
        receipts = self.receipts()
        if len({receipt.id for receipt in receipts}) > 1:
            raise Broken("I5: one key, two ids")
        envelopes = await self.logged(Envelope)
        if len({envelope.id for envelope in envelopes}) > 1:
            raise Broken("I5: one key, two requests asked")
        if receipts and self.late and not envelopes:
            raise Broken("I5: 202 for what was never asked")

    async def finish(self) -> None:
        """From here on nothing goes wrong: what got its 202 in time is asked of everyone."""
        await self.check()
        for pool in self.pools[:-1]:
            await pool.die()
        self.landing.clear()
        if self.receipts() and not self.late:
            self.faults += 1  # a zombie that died may have been calling
            for _ in range(30):
                for step in [step for step in self.stage.waiting if step.who == self.pools[-1].name]:
                    await self.happen(step)
                for backend in self.pools[-1].backends.values():
                    for attempt in list(backend.open):
                        await self.answer(attempt)
                await self.clock.sleep(0.11)
                await settle()
            if await self.answered() != set(NAMES):
                raise Broken("I5: 202, and yet a connector will never be asked")
        vault = Vault(self.engine.keys, self.clock, Ids(self.clock))
        for answers in await self.logged(Answers):
            for part in answers.parts:
                if not part.sealed:
                    continue
                try:
                    await vault.open(part.sealed, answers.id + part.connector.encode())
                except Unreadable:
                    raise Broken("KEY: an acknowledged answer nobody can open") from None


async def play(seed: int, steps: int = 40) -> None:
    it = Play(seed)
    await it.begin()
    try:
        for _ in range(steps):
            actions = it.actions()
            if not actions:
                break
            what, act = it.dice.choice(actions)
            it.told.append(what)
            await act()
            await it.check()
        await it.finish()
    except Broken as broken:
        raise Broken(f"{broken}\nseed {seed}:\n  " + "\n  ".join(it.told)) from None
    finally:
        for pool in it.pools:
            await pool.die()
        for submit in it.submits:
            submit.cancel()
        await asyncio.gather(*it.submits, return_exceptions=True)


ROUNDS = 300


def test_no_schedule_breaks_a_promise() -> None:
    for seed in range(ROUNDS):
        run(play(seed))


# ---- each rule taken out


def no_recovery() -> Any:
    async def answered(*_: Any) -> set[str]:
        return set()

    return mock.patch.object(Recovery, "answered", answered)


def consumed_is_committed() -> Any:
    return mock.patch.object(Tracker, "position", property(lambda self: self._next))


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
        self._asked.pop(flight.envelope.id, None)
        original(self, flight)

    original = Pool._land
    with mock.patch.object(Pool, "_land", land):
        yield


@contextmanager
def beyond_the_noted_end_is_new() -> Iterator[None]:
    def read(kind: type[Any], stored: bytes) -> Any:
        it = decode(kind, stored)
        if kind is Envelope:
            return Envelope(it.version, it.id, it.times, it.connectors, it.sealed, keyed=False)
        return it

    with mock.patch("esclusa.hub.pool.decode", read):
        yield


def no_margin_for_skew() -> Any:
    def exact(self: Recovery, log: Any, answers: Any, partition: int, _: int) -> None:
        original(self, log, answers, partition, 0)

    original = Recovery.__init__
    return mock.patch.object(Recovery, "__init__", exact)


@contextmanager
def key_row_is_read_then_written() -> Iterator[None]:
    async def claim(self: Submitter, key: bytes, plan: Any, sealer: Sealer, submission: Any) -> Any:
        if await self._records.read(key):
            return await original(self, key, plan, sealer, submission)
        await original(self, key, plan, sealer, submission)
        return plan, False

    original = Submitter._claim
    with mock.patch.object(Submitter, "_claim", claim):
        yield


@contextmanager
def repetition_trusts_the_key_row() -> Iterator[None]:
    async def claim(self: Submitter, key: bytes, plan: Any, sealer: Sealer, submission: Any) -> Any:
        first, _ = await original(self, key, plan, sealer, submission)
        return first, first is not plan

    original = Submitter._claim
    with mock.patch.object(Submitter, "_claim", claim):
        yield


@contextmanager
def reply_before_the_envelope_is_acknowledged() -> Iterator[None]:
    async def ask(self: Submitter, plan: Any, sealer: Sealer) -> None:
        asyncio.ensure_future(original(self, plan, sealer)).add_done_callback(lambda task: task.cancelled() or task.exception())

    original = Submitter._ask
    with mock.patch.object(Submitter, "_ask", ask):
        yield


@contextmanager
def key_is_stored_after_its_first_use() -> Iterator[None]:
    async def sealer(self: Vault, expires: int) -> Sealer:
        bucket = expires // 10_000
        if bucket not in self._sealers:
            id, secret = self._ids.secret(16), self._ids.secret(32)
            self._sealers[bucket] = Sealer(id, secret, expires + 10_000)
            if self._keys is not None and len(self._sealers) > 99:
                await self._keys.make(id, secret, expires + 10_000)
        return self._sealers[bucket]

    with mock.patch.object(PoolProcess, "__init__", _with_late_keys(sealer)):
        yield


def _with_late_keys(sealer: Any) -> Any:
    def init(self: PoolProcess, play: Play, number: int) -> None:
        original(self, play, number)
        self.vault.sealer = sealer.__get__(self.vault)  # type: ignore[method-assign]

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
        for seed in range(2000):
            try:
                run(play(seed))
            except Broken as broken:
                assert str(broken)[:2] in breaks, broken  # noqa: PT017 - any one of many schedules may catch it
                return
    pytest.fail("no schedule catches it")

"""One question on its way through hubs and pools, with the invariants of the executable specification."""

from __future__ import annotations

import asyncio
from typing import Any

from esclusa.connectors.connector import Connector
from esclusa.connectors.rest import RestSettings
from esclusa.engines.memory import MemoryEngine
from esclusa.hub import pack
from esclusa.hub.admission import Admission
from esclusa.hub.cancellations import Cancellations
from esclusa.hub.consumer import consumers
from esclusa.hub.dispatch import UNSENT_BYTES
from esclusa.hub.inventory import Inventory
from esclusa.hub.pool import Pool
from esclusa.hub.room import Room
from esclusa.hub.settings import HubSettings, PoolSettings, QuerySettings
from esclusa.hub.stored import Answers, Envelope, decode, encode
from esclusa.hub.submission import Receipt, Submission
from esclusa.hub.submit import Submitter
from esclusa.hub.topics import CANCELS, pool_topics
from esclusa.hub.vault import Vault
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Unavailable, Unreadable
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.signal import Signals
from esclusa.testing.backends import Attempt, ScriptedBackend, waits
from esclusa.testing.virtual import EPOCH, settle
from support.play import Action, Broken, Play

NAMES = ["a", "b"]
SETTINGS = HubSettings()
QUERIES = {"q": QuerySettings()}
TOPICS = pool_topics({"default": PoolSettings(partitions=1)}, QUERIES)
PAIR = TOPICS["default"]
SKEWS = (-0.9, 0.0, 0.05)
"""Seconds by which the pools' clocks differ from the hubs': the first one's answers look older than the envelope."""


class PoolProcess:
    """A process with the pool's connectors. Once it has lost the partition it may live on: a zombie."""

    def __init__(self, play: CallPlay, number: int) -> None:
        self.play = play
        self.name = f"pool {number}"
        self.engine = play.engine.beside(play.clock)
        clock = Clock(epoch=EPOCH + asyncio.get_running_loop().time() + SKEWS[number % len(SKEWS)])
        ids = Ids(clock)
        self.vault = Vault(play.engine.keys, clock, ids)
        self.backends = {name: ScriptedBackend(clock, self.called) for name in NAMES}
        settings = RestSettings(url="http://x/")
        connectors = {name: Connector(name, self.backends[name], settings, clock, ids, Instrument()) for name in NAMES}
        self.connectors = connectors
        log = play.stage.log(self.name, _Divided(self.engine, play.engine.beside(clock)))
        self.cancelled = Cancellations(log, clock, Instrument())
        room, unsent = Room(SETTINGS.lines_bytes), Room(UNSENT_BYTES)
        self.consumers = [
            Pool(each, connectors, log, self.vault, self.cancelled, room, unsent, SETTINGS, clock, Instrument(), Signals())
            for each in consumers(PAIR, play.settings, NAMES)
        ]
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
        await self.cancelled.start()
        for each in self.consumers:
            await each.start()
        await settle()

    def lose(self) -> None:
        """It consumes and commits no more; what it is calling and appending goes on."""
        self.zombie = True
        self.engine.kill()

    async def die(self) -> None:
        self.zombie = False
        self.engine.kill()
        for each in self.consumers:
            await each.background.cancel()
        await self.cancelled.background.cancel()
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


class CallPlay(Play):
    """One question submitted twice under one key, pools that come and go, and the log between them.

    In every fourth play each connector is a consumer of its own.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.settings = PoolSettings(partitions=1, consumers="connector" if seed % 4 == 3 else "pool")
        self.faults = 0
        self.calls = dict.fromkeys(NAMES, 0)
        self.pools: list[PoolProcess] = []
        self.late = False
        self.others = False
        self.twice = False
        self.broken = ""
        """Said by a back end, whose own errors are a connector's daily bread."""
        self.keyed = self.dice.random() < 0.7
        self.submits: list[asyncio.Task[Receipt]] = []

    def submitter(self, number: int) -> Submitter:
        ids = Ids(self.clock)
        instrument = Instrument()
        records = self.stage.records(f"hub {number}", self.engine.records)
        log = self.stage.log(f"hub {number}", self.engine.log)
        inventory = Inventory({name: RestSettings(url="http://x/") for name in NAMES}, QUERIES)
        vault = Vault(self.engine.keys, self.clock, ids)

        admission = Admission(records, SETTINGS, self.clock, ids, instrument)
        return Submitter(inventory, TOPICS, log, records, vault, admission, SETTINGS, self.clock, ids, instrument)

    async def begin(self) -> None:
        await self.engine.upkeep.setup([PAIR.requests, PAIR.answers, CANCELS])
        if self.dice.random() < 0.5:
            await self.submit()
        await self.join()
        if self.dice.random() < 0.5:
            await self.pass_time()

    async def answered(self) -> set[str]:
        return {head.connector for answers in await self.logged(Answers) for head in answers.heads}

    async def logged(self, kind: type[Any]) -> list[Any]:
        topic = PAIR.answers if kind is Answers else PAIR.requests
        end = await self.engine.log.end(topic, 0)
        batches = [batch async for batch in self.engine.log.read(topic, 0, 0, end)]
        return [decode(kind, message.value) for batch in batches for message in batch if message.key != b"other"]

    # ---- what may happen next

    def progress(self) -> list[Action]:
        """What happens when nothing goes wrong: more often than the rest."""
        steps: list[Action] = [(f"{step}", self.bind(self.happen, step)) for step in self.stage.waiting]
        answers: list[Action] = [
            (f"{pool.name}: {name} answers", self.bind(self.answer, attempt))
            for pool in self.pools
            for name, backend in pool.backends.items()
            for attempt in backend.open
        ]
        return [*steps, *answers]

    def actions(self) -> list[Action]:
        actions = [*super().actions(), *self.progress(), *self.progress()]
        if len(self.submits) < (2 if self.keyed else 1):
            actions.append(("submit", self.submit))
        if not self.others:
            actions.append(("another request's envelope is appended", self.other))
        if self.submits and not self.twice:
            actions.append(("what was appended stands there twice", self.copy))
        if self.dice.random() < 0.1:
            actions.append(("time passes", self.pass_time))
        if self.faults < 2:
            actions.append(("the pool loses its partition, another comes", self.join))
        actions += [(f"{pool.name} dies", pool.die) for pool in self.pools if pool.zombie]
        if not self.late and self.submits and self.dice.random() < 0.03:
            actions.append(("callBy passes", self.pass_call_by))
        return actions

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

    async def copy(self) -> None:
        """Once, of an envelope that is there."""
        for envelope in (await self.logged(Envelope))[:1]:
            self.twice = True
            await self.engine.log.append(PAIR.requests, envelope.id, encode(envelope))
        await self.clock.sleep(0.06)
        await settle()

    async def pass_time(self) -> None:
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
            for task in [task for each in pool.consumers for task in each.background._tasks]:
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
            await self.go_on()
        await self.open_all()

    async def go_on(self) -> None:
        """The last pool, undisturbed, for as long as it takes."""
        self.faults += 1  # a zombie that died may have been calling
        last = self.pools[-1]
        for _ in range(30):
            for step in [step for step in self.stage.waiting if step.who == last.name]:
                await self.happen(step)
            for attempt in [attempt for backend in last.backends.values() for attempt in backend.open]:
                await self.answer(attempt)
            await self.clock.sleep(0.11)
            await settle()
        if await self.answered() != set(NAMES):
            raise Broken("I5: 202, and yet a connector will never be asked")

    async def open_all(self) -> None:
        """Whatever the log has acknowledged can be opened."""
        vault = Vault(self.engine.keys, self.clock, Ids(self.clock))
        for answers in await self.logged(Answers):
            if answers.sealed:
                try:
                    await vault.open(answers.sealed, pack.context(answers.id, answers.heads))
                except Unreadable:
                    raise Broken("KEY: an acknowledged answer nobody can open") from None

    async def close(self) -> None:
        for pool in self.pools:
            await pool.die()
        for submit in self.submits:
            submit.cancel()
        await asyncio.gather(*self.submits, return_exceptions=True)

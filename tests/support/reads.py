"""One request as collectors and readers see it, with the invariants of the executable specification."""

from __future__ import annotations

import asyncio
from uuid import UUID

from esclusa.connectors.backend import Reason
from esclusa.connectors.rest import RestSettings
from esclusa.engines.memory import MemoryEngine
from esclusa.hub.backoff import FIRST
from esclusa.hub.collect import Collector
from esclusa.hub.inventory import Inventory
from esclusa.hub.results import Results
from esclusa.hub.settings import PoolSettings, QuerySettings
from esclusa.hub.stored import (
    REQUEST,
    VERSION,
    AnswerHead,
    Answers,
    RequestHead,
    Times,
    UserQuestion,
    encode,
)
from esclusa.hub.topics import pool_topics
from esclusa.hub.vault import Vault
from esclusa.hub.wakeups import Wakeups
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import NotFound, Unavailable
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.signal import Signals
from esclusa.ports.records import Row
from esclusa.testing.stage import Step
from esclusa.testing.virtual import EPOCH, settle
from support.play import Action, Broken, Play

ID = UUID(int=7)
NAMES = ["a", "b"]
TTL, KEEP = 60_000, 600_000
LOGS = ["aab", "aba", "baa", "ab"]
TOPICS = pool_topics({"default": PoolSettings(partitions=1)}, {"q": QuerySettings()})["default"]

Shown = tuple[int | None, ...]


class ReadPlay(Play):
    """One request, two collectors, two readers whose clocks differ, somebody who may cancel; and what was shown so far."""

    delays = 2
    rest = FIRST * 2

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
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
        wakeups = Wakeups(self.engine.log, self.clock, Instrument(), lambda *_: None)
        inventory = Inventory({name: RestSettings(url="http://x/") for name in NAMES}, {"q": QuerySettings()})
        return Results(inventory, records, Vault(self.engine.keys, self.clock, ids), wakeups, self.clock)

    async def begin(self) -> None:
        created = self.clock.millis()
        times = Times(created, created + TTL - 1000, created + TTL, created + KEEP)
        sealer = await Vault(self.engine.keys, self.clock, Ids(self.clock)).sealer(times.expires)
        question = sealer.seal(encode(UserQuestion("me", "q", "s", {})), ID.bytes)
        row = Row(REQUEST, encode(RequestHead(VERSION, times, NAMES, question)), b"", times.expires)
        await self.engine.records.put(ID.bytes, [row])
        # A repeated submission writes the request's row once more, and nobody knows when that lands.
        self.landing.append(Step("submitter", "put", (REQUEST,), lambda: self.engine.records.put(ID.bytes, [row])))
        await self.engine.upkeep.setup([TOPICS.answers])
        counts = dict.fromkeys(NAMES, 0)
        for name in self.dice.choice(LOGS):
            counts[name] += 1
            reason = None if counts[name] == 1 else Reason.BACKEND_ERROR
            answers = Answers(VERSION, ID.bytes, times.expires, [AnswerHead(name, reason, "", counts[name], 1, 0)], b"")
            await self.engine.log.append(TOPICS.answers, ID.bytes, encode(answers))
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

    def actions(self) -> list[Action]:
        actions = super().actions()
        for r in range(2):
            if r not in self.looks or self.looks[r].done():
                actions.append((f"reader {r} looks", self.bind(self.look, r)))
            if not self.late[r]:
                actions.append((f"the deadline passes for reader {r}", self.bind(self.pass_deadline, r)))
        if len(self.collectors) < 2:
            actions.append(("the collector dies, another comes", self.join))
        if self.cancelling is None and self.dice.random() < 0.02:
            actions.append(("cancel", self.cancel))
        return actions

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
        heads = {name: look.view.answers[name].head for name in look.answered}
        shown = tuple(heads[name].attempts if name in heads else None for name in NAMES)
        self.compare(r, shown, before, final=look.final, after=after)

    # ---- the invariants

    def compare(self, r: int, shown: Shown, before: tuple[Shown, Shown | None], *, final: bool, after: bool) -> None:
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

    async def check(self) -> None:
        for look in self.looks.values():
            if look.done():
                look.result()

    async def close(self) -> None:
        for engine, collector in self.collectors:
            engine.kill()
            await collector.background.cancel()
        for look in self.looks.values():
            look.cancel()
        await asyncio.gather(*self.looks.values(), return_exceptions=True)

"""What a log has acknowledged and what its workers were given and did, noted outside of it: whatever it says has to fit."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from esclusa.kernel.errors import StorageUnavailable
from esclusa.ports.log import Log, Topic
from esclusa.testing.exams.members import key_of
from support.log_worker import Deed
from support.measured import measured
from support.poll import pause

AT_ONCE = 5
"""Appends of one turn, to one partition."""
EVERY = 0.04
"""Seconds between two turns."""
REFUSED_WITHIN = 6.0
"""Seconds, at most, until an append is acknowledged or refused: three, one between two looks, and for a busy machine."""
SENT_AGAIN = 0.05
"""Seconds that a client waits, at least, before it sends again what has failed; only that may stand there twice."""
LOST_UNHEARD = 1.0
"""Seconds before a worker hears that a partition was lost in which what it took for committed may have been ignored."""


class LogLedger:
    """One topic and its workers."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.appended: dict[int, list[bytes]] = {number: [] for number in range(topic.partitions)}
        """By partition, in the order of the calls."""
        self.acknowledged: dict[tuple[int, int], bytes] = {}
        """By partition and offset."""
        self.refused: set[bytes] = set()
        self.twice = 0
        """How many stand there more than once."""
        self._waited: dict[bytes, float] = {}
        """Seconds until it was known what has become of each."""
        self.deeds: list[Deed] = []
        self.longest = 0.0
        """Seconds that an append took at most until it was known what has become of it."""
        self.last_acknowledged: float | None = None
        """By the loop's clock."""
        self._finished: set[tuple[int, int]] = set()
        self._latest: set[tuple[int, int]] = set()
        self._news = asyncio.Event()
        self._over = False
        self._loop = asyncio.get_running_loop()

    # ---- what it notes

    def note(self, deed: Deed) -> None:
        """A worker has told this."""
        self.deeds.append(deed)
        if deed.kind == "finished":
            self._finished.add((deed.partition, deed.number))
            self._latest.add((deed.partition, deed.number))
            self._news.set()

    async def append(self, log: Log, number: int) -> None:
        """Append to partition `number`, turn by turn, until it is told to end."""
        key, appended = key_of(number, self.topic.partitions), self.appended[number]
        while not self._over:
            begun = self._loop.time()
            values = [b"%d/%d" % (number, len(appended) + place) for place in range(AT_ONCE)]
            appended += values
            outcomes = await asyncio.gather(*[self._append(log, key, value) for value in values], return_exceptions=True)
            self.longest = max(self.longest, self._loop.time() - begun)
            for value, outcome in zip(values, outcomes, strict=True):
                if isinstance(outcome, int):
                    self.last_acknowledged = self._loop.time()
                    assert self.acknowledged.setdefault((number, outcome), value) == value, "two have one place"
                else:
                    assert isinstance(outcome, StorageUnavailable), repr(outcome)
                    self._news.set()
            await pause(EVERY)

    async def _append(self, log: Log, key: bytes, value: bytes) -> int:
        begun = self._loop.time()
        try:
            return await log.append(self.topic, key, value)
        except StorageUnavailable:
            self.refused.add(value)
            raise
        finally:
            self._waited[value] = self._loop.time() - begun

    def end(self) -> None:
        """Nobody appends any more."""
        self._over = True

    # ---- what it waits for

    async def flows(self, what: str, *, within: float) -> float:
        """Wait until something that is asked for from now on is acknowledged, delivered and finished, in every partition.

        The seconds that it took; told as `what`.
        """
        begun = self._loop.time()
        waiting = {number: len(self.appended[number]) for number in self.appended}
        async with asyncio.timeout(within):
            while waiting:
                self._news.clear()
                done = {self.acknowledged[place] for place in self._latest & self.acknowledged.keys()}
                self._latest -= self.acknowledged.keys()
                for number, first in list(waiting.items()):
                    if done.intersection(self.appended[number][first:]):
                        del waiting[number]
                if waiting:
                    await self._news.wait()
        took = self._loop.time() - begun
        measured(what, took)
        return took

    async def refuses(self, count: int, *, within: float) -> None:
        """Wait until so many appends have been refused in all."""
        async with asyncio.timeout(within):
            while len(self.refused) < count:
                self._news.clear()
                await self._news.wait()

    async def finished(self, *, within: float) -> None:
        """Wait until all that was acknowledged has been finished."""
        async with asyncio.timeout(within):
            while not self.acknowledged.keys() <= self._finished:
                self._news.clear()
                await self._news.wait()

    # ---- what has to fit

    async def check(self, log: Log) -> None:
        """Nothing acknowledged is lost, nothing stands there twice that was sent once, and workers were given what the port says."""
        assert self.longest < REFUSED_WITHIN, f"an append was answered after {self.longest:.1f} s"
        for number in self.appended:
            end = await log.end(self.topic, number)
            there = [message async for batch in log.read(self.topic, number, 0, end) for message in batch]
            self._check_partition(number, {message.offset: message.value for message in there})

    def _check_partition(self, number: int, there: Mapping[int, bytes]) -> None:
        values = list(there.values())
        twice = [value for value, count in Counter(values).items() if count > 1]
        self.twice += len(twice)
        told = [(value, self._waited[value], value in self.refused) for value in twice]
        assert all(waited >= SENT_AGAIN for _, waited, _ in told), f"twice there: {told}"
        acknowledged = {offset: value for (of, offset), value in self.acknowledged.items() if of == number}
        lost = {offset: value for offset, value in acknowledged.items() if there.get(offset) != value}
        assert not lost, f"acknowledged and not there: {lost}"
        places = {value: place for place, value in enumerate(self.appended[number])}
        order = [places[value] for value in dict.fromkeys(values)]
        assert order == sorted(order), "not in the order of the calls"
        deeds = [deed for deed in self.deeds if deed.partition == number]
        self._check_given(deeds, sorted(there))

    def _check_given(self, deeds: Sequence[Deed], there: Sequence[int]) -> None:
        """Each time that a partition was given: from where, and what came."""
        done: dict[int, float] = {}
        for deed in deeds:
            if deed.kind == "finished":
                done.setdefault(deed.number, deed.at)
        for given, life in lives(deeds):
            jumped = [offset for offset in there if offset < given.number and done.get(offset, given.at + 1) > given.at]
            assert not jumped, f"{given}: the position went past unfinished {jumped[:5]}"
            came = [deed.number for deed in life if deed.kind == "delivered"]
            expected = [offset for offset in there if offset >= given.number][: len(came)]
            assert came == expected, f"{given}: came {came[:5]}.., expected {expected[:5]}.."
            kept = max(self._durable(deeds, before=given.at), default=0)
            assert given.number >= kept, f"{given}: {kept} was committed"

    def _durable(self, deeds: Sequence[Deed], *, before: float) -> list[int]:
        """Positions of which a worker had heard, before that moment, that they were committed."""
        found = []
        for _, life in lives(deeds):
            lost = next((deed.at for deed in life if deed.kind == "lost"), float("inf"))
            found += [
                deed.number for deed in life if deed.kind == "committed" and deed.at < before and deed.at < lost - LOST_UNHEARD
            ]
        return found

    def __str__(self) -> str:
        return (
            f"{len(self.acknowledged)} acknowledged, {len(self.refused)} refused, {self.twice} there twice, "
            f"given {self.moves} times, {self.repeated} delivered again"
        )

    @property
    def repeated(self) -> int:
        """How many deliveries were of messages that had been delivered before."""
        delivered = Counter((deed.partition, deed.number) for deed in self.deeds if deed.kind == "delivered")
        return delivered.total() - len(delivered)

    @property
    def moves(self) -> int:
        """How often a partition was given to a worker."""
        return sum(deed.kind == "given" for deed in self.deeds)


def lives(deeds: Sequence[Deed]) -> list[tuple[Deed, list[Deed]]]:
    """Each time that a partition was given, with what its worker did until it was given to that worker again."""
    found: list[tuple[Deed, list[Deed]]] = []
    current: dict[str, list[Deed]] = defaultdict(list)
    for deed in deeds:
        if deed.kind == "given":
            current[deed.worker] = []
            found.append((deed, current[deed.worker]))
        else:
            current[deed.worker].append(deed)
    return found

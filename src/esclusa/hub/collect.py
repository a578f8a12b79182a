"""The collector: from the answers log to rows that readers see (H5).

Any number of them form one group. A row's rank is its answer's position in the log, so whichever collector writes it, and
however often, the first recorded wins. A write that was not acknowledged is repeated unchanged before any later answer of
that request is written, nothing is skipped for being late, and only what is acknowledged is committed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from esclusa.hub.positions import Committer, OwnedPartition
from esclusa.hub.stored import AnswerHead, Answers, Woken, decode, encode
from esclusa.hub.topics import WAKEUPS, PoolTopics
from esclusa.kernel.errors import Closed, StorageError, Unreadable
from esclusa.kernel.lifecycle import Background
from esclusa.ports.log import Assigned, Delivered, Revoked
from esclusa.ports.records import Row

if TYPE_CHECKING:
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.instrument import Instrument
    from esclusa.kernel.message import Message
    from esclusa.kernel.signal import Signals
    from esclusa.ports.log import Log, Subscription
    from esclusa.ports.records import Records

GROUP = "collector"
PLACES = 1024
"""More than the answers that one message may hold: a rank is the message's offset times this, plus the place in it."""
WRITES = 2000
"""Messages whose rows are being written at a time; beyond, consuming pauses."""
RETRY = 0.1


class Write:
    """The rows of one message, until they are acknowledged."""

    __slots__ = ("expires", "id", "offset", "partition", "rows")

    def __init__(self, partition: OwnedPartition, offset: int, answers: Answers, rows: list[Row]) -> None:
        self.partition = partition
        self.offset = offset
        self.id = answers.id
        self.expires = answers.expires
        self.rows = rows


class Collector:
    """The part that collects the answers of one pool."""

    def __init__(
        self, topics: PoolTopics, log: Log, records: Records, clock: Clock, instrument: Instrument, signals: Signals
    ) -> None:
        self.background = Background(f"collector {topics.pool}")
        self._topic = topics.answers
        self._log = log
        self._records = records
        self._clock = clock
        self._instrument = instrument
        self._signals = signals
        self._owned: dict[int, OwnedPartition] = {}
        self._writing: dict[bytes, deque[Write]] = {}
        """By request, in order: the first is being written, the others wait for it."""
        self._writes = 0
        self._room = asyncio.Event()
        self._room.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._woken: dict[bytes, int] = {}
        self._commits = Committer(self._topic.name, self._owned, clock, instrument)
        self._subscription: Subscription | None = None
        self._rows = instrument.counter("esclusa_hub_collected_total", "Answers written to records")
        self._late = instrument.counter("esclusa_hub_expired_answers_total", "Answers that came after their request expired")
        self._unreadable = instrument.counter(
            "esclusa_hub_unreadable_total", "Messages that can't be decoded or opened", "topic"
        )

    async def start(self) -> None:
        """Join the collectors."""
        self._subscription = self._commits.subscription = await self._log.subscribe(self._topic, GROUP)
        self.background.spawn("answers", self._consume(self._subscription))

    async def drain(self) -> None:
        """Finish the writes at hand and leave the group."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            for partition in self._owned.values():
                partition.gone = True
            await self._idle.wait()
            self._commits.subscription = None
            await asyncio.gather(*(self._commits.last(subscription, partition) for partition in self._owned.values()))
            await subscription.close()

    async def stop(self) -> None:
        """Let go; what is not committed is collected again."""
        if self._subscription is not None:
            await self._subscription.close()
        await self.background.cancel()

    async def _consume(self, subscription: Subscription) -> None:
        while True:
            await self._room.wait()
            try:
                event = await subscription.receive()
            except Closed:
                return
            except StorageError as error:
                self._instrument.warn("answers can't be read, again", topic=self._topic.name, error=str(error))
                await self._clock.sleep(RETRY)
                continue
            match event:
                case Assigned():
                    self._owned[event.partition] = OwnedPartition(event)
                    self._signals.emit("collector.assigned", topic=self._topic.name, partition=event.partition)
                case Revoked():
                    await self._revoked(subscription, event)
                case Delivered():
                    partition = self._owned.get(event.partition)
                    if partition is not None and not partition.gone:
                        for message in event.messages:
                            self._take(partition, message)

    async def _revoked(self, subscription: Subscription, event: Revoked) -> None:
        partition = self._owned.pop(event.partition, None)
        if partition is not None:
            partition.gone = True
            if not event.lost:
                await self._commits.last(subscription, partition)
        if not event.lost:
            await subscription.release(event.partition)

    # ---- writing

    def _take(self, partition: OwnedPartition, message: Message) -> None:
        partition.tracker.take(message.offset)
        try:
            answers = decode(Answers, message.value)
        except Unreadable as error:
            self._unreadable.add(self._topic.name)
            self._instrument.error("answers can't be read, settled", topic=self._topic.name, error=str(error))
            self._commits.finish(partition, message.offset)
            return
        received = self._clock.millis()
        rank = message.offset * PLACES
        rows = [
            Row(
                part.connector,
                encode(AnswerHead(part.reason, part.detail, part.attempts, part.elapsed, received)),
                part.sealed,
                answers.expires,
                rank + place,
            )
            for place, part in enumerate(answers.parts)
        ]
        write = Write(partition, message.offset, answers, rows)
        self._writes += 1
        self._idle.clear()
        if self._writes >= WRITES:
            self._room.clear()
        queue = self._writing.get(answers.id)
        if queue is None:
            self._writing[answers.id] = deque([write])
            self._write(write)
        else:
            queue.append(write)

    def _write(self, write: Write) -> None:
        if self._clock.millis() >= write.expires:
            self._late.add(amount=len(write.rows))
            self._written(write)
        else:
            self._records.put(write.id, write.rows).add_done_callback(partial(self._answered, write))

    def _answered(self, write: Write, future: asyncio.Future[None]) -> None:
        if future.cancelled() or (error := future.exception()) is not None:
            reason = "cancelled" if future.cancelled() else str(error)
            self._instrument.warn("answers not written, again", topic=self._topic.name, error=reason)
            self._clock.call_at(self._clock.now() + RETRY, self._write, write)
            return
        self._rows.add(amount=len(write.rows))
        self._wake(write.id, len(write.rows))
        self._written(write)

    def _written(self, write: Write) -> None:
        queue = self._writing[write.id]
        queue.popleft()
        if queue:
            self._write(queue[0])
        else:
            del self._writing[write.id]
        self._writes -= 1
        if self._writes < WRITES:
            self._room.set()
        if not self._writes:
            self._idle.set()
        self._commits.finish(write.partition, write.offset)

    # ---- waking

    def _wake(self, id: bytes, rows: int) -> None:
        if not self._woken:
            asyncio.get_running_loop().call_soon(self._send_wake)
        self._woken[id] = self._woken.get(id, 0) + rows

    def _send_wake(self) -> None:
        woken, self._woken = self._woken, {}
        # Lost wake-ups are made up for by the waiters' own looks, so nobody waits for this one.
        self._log.append(WAKEUPS, b"", encode(Woken(woken))).add_done_callback(_ignore)


def _ignore(future: asyncio.Future[int]) -> None:
    if not future.cancelled():
        future.exception()

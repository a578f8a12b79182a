"""The collector: from the answers log to rows that readers see (H5).

Any number of them form one group. A message becomes a row, whose name and rank are its position in the log, and all that it
says is what stands there: so whichever collector writes it, and however often, it is the same row. A write that
was not acknowledged is repeated unchanged before any later answer of that request is written, nothing is skipped for being
late, and only what is acknowledged is committed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from esclusa.hub import pack
from esclusa.hub.positions import Committer, OwnedPartition
from esclusa.hub.resend import Resend
from esclusa.hub.room import Room
from esclusa.hub.stored import Answers, Woken, decode, encode
from esclusa.hub.subscriptions import events
from esclusa.hub.topics import WAKEUPS, PoolTopics
from esclusa.hub.unreadable import UnreadableMessages
from esclusa.kernel.errors import StorageError, Unreadable
from esclusa.kernel.instrument import Level
from esclusa.kernel.lifecycle import Background
from esclusa.ports.log import Assigned, Delivered, Revoked

if TYPE_CHECKING:
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.instrument import Instrument
    from esclusa.kernel.message import Message
    from esclusa.kernel.signal import Signals
    from esclusa.ports.log import Log, Subscription
    from esclusa.ports.records import Records, Row

GROUP = "collector"
WRITING_BYTES = 32 * 1024 * 1024
"""Rows that are being written at a time; beyond, consuming pauses."""
ANSWER_BYTES = 300
"""What an answer costs in memory, roughly, beside its data."""
CATCH_UP = 3.0
"""Seconds that a process that ends has to take what stands in the log by then."""


class Write:
    """The row of one message, until it is acknowledged."""

    __slots__ = ("connectors", "id", "offset", "partition", "row", "size")

    def __init__(self, partition: OwnedPartition, offset: int, answers: Answers, row: Row) -> None:
        self.partition = partition
        self.offset = offset
        self.id = answers.id
        self.connectors = [head.connector for head in answers.heads]
        self.row = row
        self.size = ANSWER_BYTES * len(self.connectors) + len(row.body)


class Collector:
    """The part that collects the answers of one pool."""

    def __init__(
        self, topics: PoolTopics, log: Log, records: Records, clock: Clock, instrument: Instrument, signals: Signals
    ) -> None:
        self.background = Background(f"collector {topics.pool}")
        self.given = asyncio.Event()
        """Set once it has been given a partition."""
        self._pool = topics.pool
        self._topic = topics.answers
        self._log = log
        self._records = records
        self._clock = clock
        self._instrument = instrument
        self._signals = signals
        self._owned: dict[int, OwnedPartition] = {}
        self._writing: dict[bytes, deque[Write]] = {}
        """By request, in order: the first is being written, the others wait for it."""
        self._room = Room(WRITING_BYTES)
        self._room.add_listener(self._full)
        self._resend = Resend(f"answers not written, again: {self._topic.name}", clock, instrument)
        self._idle = asyncio.Event()
        self._idle.set()
        self._taken = asyncio.Event()
        self._woken: dict[bytes, int] = {}
        self._losing = False
        """The last wake-up was lost."""
        self._leaving = False
        """Nothing more is taken."""
        self._commits = Committer(self._topic.name, self._owned, clock, instrument)
        self._subscription: Subscription | None = None
        self._recorded = instrument.counter("esclusa_hub_collected_total", "Answers written to records")
        self._late = instrument.counter("esclusa_hub_expired_answers_total", "Answers that came after their request expired")
        self._unreadable = UnreadableMessages(instrument)

    async def start(self) -> None:
        """Join the collectors."""
        self._subscription = self._commits.subscription = await self._log.subscribe(self._topic, GROUP)
        self.background.spawn("answers", self._consume(self._subscription))

    async def drain(self) -> None:
        """Take what stands in the log by now, finish the writes, and leave the group."""
        subscription = self._subscription
        if subscription is not None:
            with contextlib.suppress(StorageError, TimeoutError):  # what is not taken is the next owner's
                async with self._clock.timeout_at(self._clock.now() + CATCH_UP):
                    await self._catch_up()
            self._leaving = True
            for partition in self._owned.values():
                partition.gone = True
            await self._idle.wait()
            self._commits.subscription = None
            await asyncio.gather(*(self._commits.last(subscription, partition) for partition in self._owned.values()))
            await subscription.close()

    async def _catch_up(self) -> None:
        ends = [(partition, await self._log.end(self._topic, partition.number)) for partition in list(self._owned.values())]
        while any(partition.tracker.next < end and not partition.gone for partition, end in ends):
            self._taken.clear()
            await self._taken.wait()

    async def stop(self) -> None:
        """Let go; what is not committed is collected again."""
        if self._subscription is not None:
            await self._subscription.close()
        await self.background.cancel()
        self._resend.close()

    async def _consume(self, subscription: Subscription) -> None:
        async for event in events(subscription, self._topic.name, self._clock, self._instrument):
            match event:
                case Assigned():
                    partition = self._owned[event.partition] = OwnedPartition(event)
                    partition.gone = self._leaving  # another one left before this one
                    self.given.set()
                    self._signals.emit("collector.assigned", topic=self._topic.name, partition=event.partition)
                case Revoked():
                    await self._revoked(subscription, event)
                case Delivered():
                    taken = self._owned.get(event.partition)
                    if taken is not None and not taken.gone:
                        for message in event.messages:
                            self._take(taken, message)
            self._taken.set()

    def _full(self, full: bool) -> None:
        if self._subscription is not None:
            self._subscription.pause(paused=full)

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
            self._unreadable.add(self._topic.name, error)
            self._commits.finish(partition, message.offset)
            return
        if not answers.heads or self._clock.millis() >= answers.expires:
            self._late.add(amount=len(answers.heads))
            self._commits.finish(partition, message.offset)
            return
        row = pack.row(self._pool, partition.number, message.offset, message.made, answers)
        write = Write(partition, message.offset, answers, row)
        self._room.take(write.size)
        self._idle.clear()
        queue = self._writing.get(answers.id)
        if queue is None:
            self._writing[answers.id] = deque([write])
            self._write(write)
        else:
            queue.append(write)

    def _write(self, write: Write) -> None:
        self._records.put(write.id, [write.row]).add_done_callback(partial(self._acknowledged, write))

    def _acknowledged(self, write: Write, future: asyncio.Future[None]) -> None:
        error = "cancelled" if future.cancelled() else future.exception()
        if error is None:
            self._resend.succeeded()
            self._recorded.add(amount=len(write.connectors))
            if self._instrument.level <= Level.DEBUG:
                self._instrument.debug("answers recorded", request=str(UUID(bytes=write.id)), connectors=write.connectors)
            self._wake(write.id, len(write.connectors))
        elif self._clock.millis() < write.row.expires:
            self._resend.later(partial(self._write, write), str(error))
            return
        else:
            self._late.add(amount=len(write.connectors))
        self._next(write)

    def _next(self, write: Write) -> None:
        """Go on with the next of its request; what has expired meanwhile is passed over."""
        queue = self._writing[write.id]
        while True:
            done = queue.popleft()
            self._room.give_back(done.size)
            self._commits.finish(done.partition, done.offset)
            if not queue or self._clock.millis() < queue[0].row.expires:
                break
            self._late.add(amount=len(queue[0].connectors))
        if queue:
            self._write(queue[0])
            return
        del self._writing[write.id]
        if not self._writing:
            self._idle.set()

    # ---- waking

    def _wake(self, id: bytes, answers: int) -> None:
        if not self._woken:
            asyncio.get_running_loop().call_soon(self._send_wake)
        self._woken[id] = self._woken.get(id, 0) + answers

    def _send_wake(self) -> None:
        woken, self._woken = self._woken, {}
        # Lost wake-ups are made up for by the waiters' own looks, so nobody waits for this one.
        self._log.append(WAKEUPS, b"", encode(Woken(woken))).add_done_callback(self._wake_sent)

    def _wake_sent(self, future: asyncio.Future[int]) -> None:
        error = "cancelled" if future.cancelled() else future.exception()
        if error is not None and not self._losing:
            self._instrument.warn("wake-ups are lost: who waits for answers sees them late", error=str(error))
        self._losing = error is not None

"""The collector: from the answers log to rows that readers see (H5).

Any number of them form one group. A row's rank is its answer's position in the log, and all that it says is what stands
there: so whichever collector writes it, and however often, it is the same row, and the first recorded wins. A write that
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

from esclusa.hub.positions import Committer, OwnedPartition
from esclusa.hub.resend import Resend
from esclusa.hub.room import Room
from esclusa.hub.stored import AnswerHead, Answers, Woken, decode, encode
from esclusa.hub.subscriptions import events
from esclusa.hub.topics import WAKEUPS, PoolTopics
from esclusa.hub.unreadable import UnreadableMessages
from esclusa.kernel.errors import StorageError, Unreadable
from esclusa.kernel.instrument import Level
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
WRITING_BYTES = 32 * 1024 * 1024
"""Rows that are being written at a time; beyond, consuming pauses."""
ROW_BYTES = 300
"""What a row costs in memory, roughly, beside its body."""
CATCH_UP = 3.0
"""Seconds that a process that ends has to take what stands in the log by then."""


class Write:
    """The rows of one message, until they are acknowledged."""

    __slots__ = ("expires", "id", "offset", "partition", "rows", "size")

    def __init__(self, partition: OwnedPartition, offset: int, answers: Answers, rows: list[Row]) -> None:
        self.partition = partition
        self.offset = offset
        self.id = answers.id
        self.expires = answers.expires
        self.rows = rows
        self.size = sum(ROW_BYTES + len(row.body) for row in rows)


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
        self._room = Room(WRITING_BYTES)
        self._room.tell(self._full)
        self._resend = Resend(f"answers not written, again: {self._topic.name}", clock, instrument)
        self._idle = asyncio.Event()
        self._idle.set()
        self._taken = asyncio.Event()
        self._woken: dict[bytes, int] = {}
        self._losing = False
        """The last wake-up was lost."""
        self._commits = Committer(self._topic.name, self._owned, clock, instrument)
        self._subscription: Subscription | None = None
        self._rows = instrument.counter("esclusa_hub_collected_total", "Answers written to records")
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
                    self._owned[event.partition] = OwnedPartition(event)
                    self._signals.emit("collector.assigned", topic=self._topic.name, partition=event.partition)
                case Revoked():
                    await self._revoked(subscription, event)
                case Delivered():
                    partition = self._owned.get(event.partition)
                    if partition is not None and not partition.gone:
                        for message in event.messages:
                            self._take(partition, message)
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
        if self._clock.millis() >= answers.expires:
            self._late.add(amount=len(answers.parts))
            self._commits.finish(partition, message.offset)
            return
        rank = message.offset * PLACES
        rows = [
            Row(
                part.connector,
                encode(AnswerHead(part.reason, part.detail, part.attempts, part.elapsed, message.made)),
                part.sealed,
                answers.expires,
                rank + place,
            )
            for place, part in enumerate(answers.parts)
        ]
        write = Write(partition, message.offset, answers, rows)
        self._room.take(write.size)
        self._idle.clear()
        queue = self._writing.get(answers.id)
        if queue is None:
            self._writing[answers.id] = deque([write])
            self._write(write)
        else:
            queue.append(write)

    def _write(self, write: Write) -> None:
        self._records.put(write.id, write.rows).add_done_callback(partial(self._acknowledged, write))

    def _acknowledged(self, write: Write, future: asyncio.Future[None]) -> None:
        error = "cancelled" if future.cancelled() else future.exception()
        if error is None:
            self._resend.succeeded()
            self._rows.add(amount=len(write.rows))
            if self._instrument.level <= Level.DEBUG:
                names = [row.name for row in write.rows]
                self._instrument.debug("answers recorded", request=str(UUID(bytes=write.id)), connectors=names)
            self._wake(write.id, len(write.rows))
        elif self._clock.millis() < write.expires:
            self._resend.later(partial(self._write, write), str(error))
            return
        else:
            self._late.add(amount=len(write.rows))
        self._next(write)

    def _next(self, write: Write) -> None:
        """Go on with the next of its request; what has expired meanwhile is passed over."""
        queue = self._writing[write.id]
        while True:
            done = queue.popleft()
            self._room.give_back(done.size)
            self._commits.finish(done.partition, done.offset)
            if not queue or self._clock.millis() < queue[0].expires:
                break
            self._late.add(amount=len(queue[0].rows))
        if queue:
            self._write(queue[0])
            return
        del self._writing[write.id]
        if not self._writing:
            self._idle.set()

    # ---- waking

    def _wake(self, id: bytes, rows: int) -> None:
        if not self._woken:
            asyncio.get_running_loop().call_soon(self._send_wake)
        self._woken[id] = self._woken.get(id, 0) + rows

    def _send_wake(self) -> None:
        woken, self._woken = self._woken, {}
        # Lost wake-ups are made up for by the waiters' own looks, so nobody waits for this one.
        self._log.append(WAKEUPS, b"", encode(Woken(woken))).add_done_callback(self._wake_sent)

    def _wake_sent(self, future: asyncio.Future[int]) -> None:
        error = "cancelled" if future.cancelled() else future.exception()
        if error is not None and not self._losing:
            self._instrument.warn("wake-ups are lost: who waits for answers sees them late", error=str(error))
        self._losing = error is not None

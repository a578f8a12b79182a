"""A pool of connectors as a consumer of its requests topic (H11, H14, H20).

One consumer for all the pool's connectors in a process. The position committed is the lowest envelope that is not done
with: so any process may die at any moment, and the next owner of its partitions goes on where it left off.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from esclusa.hub.backoff import Backoff
from esclusa.hub.dispatch import Dispatcher, InFlight
from esclusa.hub.positions import Committer
from esclusa.hub.recovery import Recovery
from esclusa.hub.request_partition import RequestPartition
from esclusa.hub.stored import Asked, Cancelled, Envelope, decode
from esclusa.hub.subscriptions import events, heard
from esclusa.hub.topics import CANCELS, PoolTopics
from esclusa.kernel.errors import StorageError, Unreadable
from esclusa.kernel.lifecycle import Background
from esclusa.ports.log import Assigned, Delivered, Revoked

if TYPE_CHECKING:
    from esclusa.connectors.connector import Connector
    from esclusa.hub.room import Room
    from esclusa.hub.settings import HubSettings
    from esclusa.hub.vault import Sealer, Vault
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.instrument import Instrument
    from esclusa.kernel.message import Message
    from esclusa.kernel.signal import Signals
    from esclusa.ports.log import Log, Subscription

PRUNE_EVERY = 1000
"""Milliseconds between two looks for cancelled requests that have expired."""
NAME_BYTES = 64
"""What the name of a connector costs in memory, roughly."""
KEEP = 5.0
"""Seconds after its last use that what recovery has read is kept."""
MARGIN = 5.0
"""Seconds beyond the drain, to commit and let go of a partition."""


class Pool:
    """The part that consumes one pool's requests. Drain it before the connectors are closed, and stop it before the log."""

    def __init__(
        self,
        topics: PoolTopics,
        connectors: Mapping[str, Connector],
        log: Log,
        vault: Vault,
        room: Room,
        settings: HubSettings,
        clock: Clock,
        instrument: Instrument,
        signals: Signals,
    ) -> None:
        """`room`: what the lines of all pools of this process may hold together."""
        self.background = Background(f"pool {topics.pool}")
        self._topics = topics
        self._log = log
        self._vault = vault
        self._settings = settings
        self._skew = round(settings.skew * 1000)
        self._clock = clock
        self._instrument = instrument
        self._signals = signals
        self._owned: dict[int, RequestPartition] = {}
        self._asked: dict[bytes, set[str]] = {}
        """By request under a key: the connectors that hold it, or have finished it, until its deadline."""
        self._deadlines: deque[tuple[int, bytes]] = deque()
        self._cancelled: dict[bytes, int] = {}
        self._pruned = 0
        self._room = room
        room.tell(self._full)
        self._dispatcher = Dispatcher(topics.answers, connectors, log, self._room, clock, instrument)
        self._landed = asyncio.Event()
        self._draining = False
        self._retiring: set[asyncio.Task[None]] = set()
        self._commits = Committer(topics.requests.name, self._owned, clock, instrument)
        self._subscription: Subscription | None = None
        self._cancels: Subscription | None = None
        self._dropped = instrument.counter("esclusa_hub_unreadable_total", "Messages that can't be decoded or opened", "topic")

    async def start(self) -> None:
        """Join the pool's group."""
        self._cancels = await self._log.subscribe(CANCELS, None)
        try:
            subscription = await self._log.subscribe(
                self._topics.requests, f"pool.{self._topics.pool}", self._settings.drain + MARGIN
            )
        except BaseException:
            await self._cancels.close()
            raise
        self._subscription = self._commits.subscription = subscription
        subscription.pause(paused=self._room.full)  # other pools may have filled it by now
        self.background.spawn("cancels", self._hear_cancels(self._cancels))
        self.background.spawn("requests", self._consume(subscription))

    async def drain(self) -> None:
        """Hand out no more, finish what is in flight for up to `drain`, commit."""
        self._draining = True
        self._commits.subscription = None
        if self._subscription is not None:
            for partition in list(self._owned.values()):
                self._give_up(self._subscription, partition, lost=False, release=False)
            if self._retiring:
                await asyncio.wait(self._retiring)
            await self._subscription.close()

    async def stop(self) -> None:
        """Let go of everything; what is unfinished is the next owner's."""
        for subscription in (self._subscription, self._cancels):
            if subscription is not None:
                await subscription.close()
        await self.background.cancel()
        self._dispatcher.close()

    # ---- consuming

    async def _consume(self, subscription: Subscription) -> None:
        async for event in events(subscription, self._topics.requests.name, self._clock, self._instrument):
            if self._draining:
                continue  # closing the subscription gives up everything, what is given now too
            match event:
                case Assigned():
                    self._assigned(event)
                case Revoked():
                    await self._revoked(subscription, event)
                case Delivered():
                    await self._delivered(event)

    def _full(self, full: bool) -> None:
        if self._subscription is not None:
            self._subscription.pause(paused=full)

    def _assigned(self, event: Assigned) -> None:
        recovery = Recovery(self._log, self._topics.answers, event.partition, self._skew)
        partition = RequestPartition(event, self._clock.millis(), recovery)
        self._owned[event.partition] = partition
        self.background.spawn(f"recover {event.partition}", self._recover(partition))
        self._instrument.debug("partition given", topic=self._topics.requests.name, partition=event.partition)
        self._signals.emit("pool.assigned", pool=self._topics.pool, partition=event.partition)

    async def _delivered(self, event: Delivered) -> None:
        partition = self._owned.get(event.partition)
        if partition is None:
            return
        for message in event.messages:
            if partition.gone:
                return
            partition.tracker.take(message.offset)
            envelope = self._readable(message)
            if envelope is None or self._clock.millis() >= envelope.times.expires or envelope.id in self._cancelled:
                self._commits.finish(partition, message.offset)
            elif message.offset < partition.end or (envelope.keyed and envelope.times.created <= partition.given + self._skew):
                partition.backlog.append((message.offset, envelope))
                self._room.take(_size(envelope))
                partition.added.set()
            else:
                await self._hand_out(partition, message.offset, envelope, {})
        partition.added.set()

    def _readable(self, message: Message) -> Envelope | None:
        try:
            return decode(Envelope, message.value)
        except Unreadable as error:
            self._unreadable(error)
            return None

    def _unreadable(self, error: Unreadable) -> None:
        self._dropped.add(self._topics.requests.name)
        self._instrument.error("an envelope can't be read, settled", topic=self._topics.requests.name, error=str(error))

    async def _recover(self, partition: RequestPartition) -> None:
        """Hand out, in order, what may have been answered before this process had the partition, less what was."""
        answers_end: int | None = None
        backoff = Backoff()
        while True:
            if partition.gone:
                return  # and its backlog is the next owner's
            if not partition.backlog:
                partition.added.clear()
                if partition.tracker.next >= partition.end:
                    self._signals.emit("pool.recovered", pool=self._topics.pool, partition=partition.number)
                await self._more(partition)
                continue
            offset, envelope = partition.backlog[0]
            try:
                if answers_end is None or offset >= partition.end:
                    answers_end = await self._log.end(self._topics.answers, partition.number)
                answered = await partition.recovery.answered(envelope.id, envelope.times.created, answers_end)
                partition.forget_at = self._clock.now() + KEEP
            except StorageError as error:
                self._instrument.warn("answers can't be read, again", topic=self._topics.answers.name, error=str(error))
                await self._clock.sleep(backoff.next())
                continue
            backoff.succeeded()
            if not partition.backlog:
                continue  # taken away meanwhile
            partition.backlog.popleft()
            self._room.give_back(_size(envelope))
            await self._hand_out(partition, offset, envelope, answered)

    async def _more(self, partition: RequestPartition) -> None:
        """Wait until there is more to recover. What was read is forgotten once it has been of no use for a while."""
        if partition.forget_at is None:
            await partition.added.wait()
            return
        try:
            async with self._clock.timeout_at(partition.forget_at):
                await partition.added.wait()
        except TimeoutError:
            partition.recovery.forget()
            partition.forget_at = None

    async def _hand_out(
        self, partition: RequestPartition, offset: int, envelope: Envelope, answered: Mapping[str, int]
    ) -> None:
        """`answered`: who has answered before, and with how many bytes."""
        opened = await self._opened(envelope)
        if partition.gone:
            return  # never finished here: it is the next owner's
        if opened is not None and envelope.id not in self._cancelled:
            asked, sealer = opened
            mine = self._not_asked(envelope, answered)
            for flight in self._dispatcher.in_flight.get(envelope.id, ()):
                partition.tracker.hold(offset)
                flight.stands_for.append((partition, offset))
            if mine:
                partition.tracker.hold(offset)
                self._dispatcher.begin(envelope, (partition, offset), asked, sealer, mine, self._land, sum(answered.values()))
        self._commits.finish(partition, offset)

    async def _opened(self, envelope: Envelope) -> tuple[Asked, Sealer] | None:
        """What is asked, and the key for its answers; None when it can't be opened, now or ever."""
        backoff = Backoff()
        while self._clock.millis() < envelope.times.expires:
            try:
                asked = decode(Asked, await self._vault.open(envelope.sealed, envelope.id))
                return asked, await self._vault.sealer(envelope.times.expires)
            except Unreadable as error:
                self._unreadable(error)
                return None
            except StorageError as error:
                self._instrument.warn("keys can't be read, again", error=str(error))
                await self._clock.sleep(backoff.next())
        return None

    def _not_asked(self, envelope: Envelope, answered: Iterable[str]) -> list[str]:
        """Whom to ask: those that have not answered, are not being asked, and, where it may come again, were not asked."""
        known = set(answered)
        for flight in self._dispatcher.in_flight.get(envelope.id, ()):
            known |= flight.names
        if envelope.keyed:
            now = self._clock.millis()
            while self._deadlines and self._deadlines[0][0] <= now:
                self._asked.pop(self._deadlines.popleft()[1], None)
            if envelope.id not in self._asked:
                self._deadlines.append((envelope.times.deadline, envelope.id))
            known |= self._asked.setdefault(envelope.id, set())
        mine = [name for name in envelope.connectors if name not in known]
        if envelope.keyed:
            self._asked[envelope.id].update(mine, answered)
        return mine

    # ---- finishing

    def _land(self, flight: InFlight) -> None:
        for partition, offset in flight.stands_for:
            self._commits.finish(partition, offset)
        self._landed.set()

    # ---- giving up a partition

    async def _revoked(self, subscription: Subscription, event: Revoked) -> None:
        partition = self._owned.get(event.partition)
        if partition is not None:
            self._give_up(subscription, partition, lost=event.lost, release=not event.lost)
        elif not event.lost:
            await subscription.release(event.partition)

    def _give_up(self, subscription: Subscription, partition: RequestPartition, *, lost: bool, release: bool) -> None:
        """From now on nothing of `partition` is handed out; what is in flight is seen to in the background.

        The partition may be given to this process again before that is over: that is a new `RequestPartition`.
        """
        del self._owned[partition.number]
        partition.gone = True
        partition.added.set()
        task = self.background.spawn(
            f"retire {partition.number}", self._retire(subscription, partition, lost=lost, release=release)
        )
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _retire(self, subscription: Subscription, partition: RequestPartition, *, lost: bool, release: bool) -> None:
        self._room.give_back(sum(_size(envelope) for _, envelope in partition.backlog))
        partition.backlog.clear()
        flights = [
            flight
            for flights in self._dispatcher.in_flight.values()
            for flight in flights
            if any(stood_for is partition for stood_for, _ in flight.stands_for)
        ]
        for flight in flights:
            self._recall(flight, partition, cut=False)
        if not lost:
            await self._until_landed(flights)
            await self._commits.last(subscription, partition)
        for flight in flights:
            self._recall(flight, partition, cut=True)
        if release:
            await subscription.release(partition.number)
        self._signals.emit("pool.retired", pool=self._topics.pool, partition=partition.number)

    def _recall(self, flight: InFlight, partition: RequestPartition, *, cut: bool) -> None:
        """Take back what has no answer yet, without saying that it is done: the next owner of `partition` asks it."""
        if not flight.left:
            return
        held = [offset for stood_for, offset in flight.stands_for if stood_for is partition]
        for offset in held:
            partition.tracker.hold(offset)
        recalled = self._dispatcher.recall(flight, cut=cut)
        known = self._asked.get(flight.envelope.id)
        if known is not None:
            known.difference_update(recalled)
        if not recalled:
            for offset in held:
                partition.tracker.finish(offset)

    async def _until_landed(self, flights: list[InFlight]) -> None:
        try:
            async with self._clock.timeout_at(self._clock.now() + self._settings.drain):
                while any(flight.left for flight in flights):
                    self._landed.clear()
                    await self._landed.wait()
        except TimeoutError:
            self._instrument.warn("calls in flight outlast the drain", pool=self._topics.pool)

    # ---- cancelling

    async def _hear_cancels(self, subscription: Subscription) -> None:
        said = events(subscription, CANCELS.name, self._clock, self._instrument)
        async for cancelled in heard(said, Cancelled, self._unreadable):
            self._cancel(cancelled)

    def _cancel(self, cancelled: Cancelled) -> None:
        now = self._clock.millis()
        if now - self._pruned >= PRUNE_EVERY:
            self._pruned = now
            for id in [id for id, until in self._cancelled.items() if until <= now]:
                del self._cancelled[id]
        self._cancelled[cancelled.id] = cancelled.expires
        for flight in list(self._dispatcher.in_flight.get(cancelled.id, ())):
            self._dispatcher.recall(flight, cut=True)


def _size(envelope: Envelope) -> int:
    """Bytes that it holds while it waits to be handed out, roughly."""
    return len(envelope.sealed) + NAME_BYTES * len(envelope.connectors)

"""The requests topic of a pool, consumed in this process: by one consumer for all its connectors, or for one alone.

The position committed is the lowest envelope that is not done with: so any process may die at any moment, and the next
owner of its partitions goes on where it left off (H11, H14, H20, H21).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from esclusa.hub.backlog import Backlog
from esclusa.hub.dispatch import Dispatcher, InFlight
from esclusa.hub.positions import Committer
from esclusa.hub.recovery import Recovery
from esclusa.hub.repetitions import Repetitions
from esclusa.hub.request_partition import RequestPartition
from esclusa.hub.stored import Envelope, UserQuestion, decode
from esclusa.hub.subscriptions import events
from esclusa.hub.unreadable import UnreadableMessages
from esclusa.kernel.errors import StorageError, Unreadable
from esclusa.kernel.lifecycle import Background
from esclusa.ports.log import Assigned, Delivered, Revoked

if TYPE_CHECKING:
    from esclusa.connectors.connector import Connector
    from esclusa.hub.cancellations import Cancellations
    from esclusa.hub.consumer import Consumer
    from esclusa.hub.room import Room
    from esclusa.hub.settings import HubSettings
    from esclusa.hub.vault import Sealer, Vault
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.instrument import Instrument
    from esclusa.kernel.message import Message
    from esclusa.kernel.signal import Signals
    from esclusa.ports.log import Log, Subscription

MARGIN = 5.0
"""Seconds beyond the drain, to commit and let go of a partition."""


class Pool:
    """The part that consumes a pool's requests. Drain it before the connectors are closed, and stop it before the log."""

    def __init__(
        self,
        consumer: Consumer,
        connectors: Mapping[str, Connector],
        log: Log,
        vault: Vault,
        cancelled: Cancellations,
        room: Room,
        unsent: Room,
        settings: HubSettings,
        clock: Clock,
        instrument: Instrument,
        signals: Signals,
    ) -> None:
        """`connectors`: those served here, by name; `room`: what the lines of all pools of this process may hold together.

        `unsent`: how much of that may be answers that the log has not taken.
        """
        self.background = Background(consumer.group)
        self.given = asyncio.Event()
        """Set once it has been given a partition."""
        self._consumer = consumer
        self._pool = consumer.topics.pool
        self._topic = consumer.topics.requests
        self._answers = consumer.topics.answers
        self._log = log
        self._vault = vault
        self._cancelled = cancelled
        cancelled.add_listener(self._cancel)
        self._settings = settings
        self._clock = clock
        self._instrument = instrument
        self._signals = signals
        self._owned: dict[int, RequestPartition] = {}
        self._repetitions = Repetitions(clock)
        self._room = room
        room.add_listener(self._full)
        self._dispatcher = Dispatcher(self._answers, connectors, log, room, unsent, clock, instrument)
        self._landed = asyncio.Event()
        self._draining = False
        self._retiring: dict[asyncio.Task[None], RequestPartition] = {}
        self._commits = Committer(self._topic.name, self._owned, clock, instrument)
        self._subscription: Subscription | None = None
        self._unreadable = UnreadableMessages(instrument)

    async def start(self) -> None:
        """Join the group."""
        subscription = await self._log.subscribe(self._topic, self._consumer.group, self._settings.drain + MARGIN)
        self._subscription = self._commits.subscription = subscription
        subscription.pause(paused=self._room.full)  # other pools may have filled it by now
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
        if self._subscription is not None:
            await self._subscription.close()
        await self.background.cancel()
        self._dispatcher.close()

    # ---- consuming

    async def _consume(self, subscription: Subscription) -> None:
        async for event in events(subscription, self._topic.name, self._clock, self._instrument):
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
        number = event.partition
        skew = round(self._settings.skew * 1000)
        recovery = Recovery(self._log, self._answers, number, skew)
        partition = RequestPartition(event, self._clock.millis() + skew)
        partition.backlog = Backlog(recovery, partial(self._hand_out, partition), self._room, self._clock, self._instrument)
        self._owned[number] = partition
        self.given.set()
        self.background.spawn(f"backlog {number}", partition.backlog.run(partial(self._idle, partition)))
        self._instrument.debug("partition given", topic=self._topic.name, partition=number)
        self._signals.emit("pool.assigned", pool=self._pool, partition=number)

    def _idle(self, partition: RequestPartition) -> None:
        if partition.tracker.next >= partition.end:
            self._signals.emit("pool.recovered", pool=self._pool, partition=partition.number)

    async def _delivered(self, event: Delivered) -> None:
        partition = self._owned.get(event.partition)
        if partition is None:
            return
        for message in event.messages:
            if partition.gone:
                return
            partition.tracker.take(message.offset)
            envelope = self._for_us(message)
            if envelope is None:
                self._commits.finish(partition, message.offset)
            elif message.offset < partition.end or envelope.times.created <= partition.given:
                partition.backlog.add(message.offset, envelope)
            else:
                try:
                    await self._hand_out(partition, message.offset, envelope, {})
                except StorageError:
                    partition.backlog.add(message.offset, envelope)  # which goes on trying, and keeps nobody else waiting
        partition.backlog.stir()

    def _for_us(self, message: Message) -> Envelope | None:
        """What there is to do; None: nothing, here or any more."""
        try:
            envelope = decode(Envelope, message.value)
        except Unreadable as error:
            self._unreadable.add(self._topic.name, error)
            return None
        return None if self._over(envelope) else self._consumer.addressed(envelope)

    def _over(self, envelope: Envelope) -> bool:
        return self._clock.millis() >= envelope.times.expires or envelope.id in self._cancelled

    async def _hand_out(
        self, partition: RequestPartition, offset: int, envelope: Envelope, answered: Mapping[str, int]
    ) -> None:
        """`answered`: who has answered before, and with how many bytes. `StorageError`: not now."""
        opened = None if self._over(envelope) else await self._opened(envelope)
        if partition.gone:
            return  # never finished here: it is the next owner's
        if opened is not None and not self._over(envelope):
            self._begin(partition, offset, envelope, opened, answered)
        self._commits.finish(partition, offset)

    async def _opened(self, envelope: Envelope) -> tuple[UserQuestion, Sealer] | None:
        """What is asked, and the key for its answers; None when it can't be opened, now or ever. `StorageError`: not now."""
        try:
            question = decode(UserQuestion, await self._vault.open(envelope.sealed, envelope.id))
        except Unreadable as error:
            self._unreadable.add(self._topic.name, error)
            return None
        return question, await self._vault.sealer(envelope.times.expires)

    def _begin(
        self,
        partition: RequestPartition,
        offset: int,
        envelope: Envelope,
        opened: tuple[UserQuestion, Sealer],
        answered: Mapping[str, int],
    ) -> None:
        """Ask those that have not answered, and were not asked here before."""
        known = set(envelope.connectors if envelope in self._repetitions else answered)
        for flight in self._dispatcher.in_flight.get(envelope.id, ()):
            known |= flight.names
            partition.tracker.hold(offset)
            flight.stands_for.append((partition, offset))
        mine = [name for name in envelope.connectors if name not in known]
        self._repetitions.add(envelope)
        if mine:
            partition.tracker.hold(offset)
            self._dispatcher.begin(envelope, (partition, offset), *opened, mine, self._land, sum(answered.values()))

    # ---- finishing

    def _land(self, flight: InFlight) -> None:
        for partition, offset in flight.stands_for:
            self._commits.finish(partition, offset)
        self._landed.set()

    def _cancel(self, id: bytes) -> None:
        for flight in list(self._dispatcher.in_flight.get(id, ())):
            self._dispatcher.recall(flight, cut=True)

    # ---- giving up a partition

    async def _revoked(self, subscription: Subscription, event: Revoked) -> None:
        partition = self._owned.get(event.partition)
        if partition is not None:
            self._give_up(subscription, partition, lost=event.lost, release=not event.lost)
        elif event.lost:
            for retiring in self._retiring.values():
                if retiring.number == event.partition:
                    self._lose(retiring)
        else:
            await subscription.release(event.partition)

    def _give_up(self, subscription: Subscription, partition: RequestPartition, *, lost: bool, release: bool) -> None:
        """From now on nothing of `partition` is handed out; what is in flight is seen to in the background.

        The partition may be given to this process again before that is over, once it is lost: that is a new
        `RequestPartition`, and the old one touches it no more.
        """
        del self._owned[partition.number]
        partition.gone = True
        partition.backlog.close()
        if lost:
            self._lose(partition)
        task = self.background.spawn(f"retire {partition.number}", self._retire(subscription, partition, release=release))
        self._retiring[task] = partition
        task.add_done_callback(self._retiring.pop)

    def _lose(self, partition: RequestPartition) -> None:
        """It is another's by now: its calls are cut at once, and what remains of its retirement commits and releases nothing."""
        partition.lost = True
        for flight in self._flights(partition):
            self._recall(flight, partition, cut=True)
        self._landed.set()

    async def _retire(self, subscription: Subscription, partition: RequestPartition, *, release: bool) -> None:
        flights = self._flights(partition)
        for flight in flights:
            self._recall(flight, partition, cut=False)
        await self._until_landed(partition, flights)
        if not partition.lost:
            await self._commits.last(subscription, partition)
        if not partition.lost:
            for flight in flights:
                self._recall(flight, partition, cut=True)
            if release:
                await subscription.release(partition.number)
        self._signals.emit("pool.retired", pool=self._pool, partition=partition.number)

    def _flights(self, partition: RequestPartition) -> list[InFlight]:
        return [
            flight
            for flights in self._dispatcher.in_flight.values()
            for flight in flights
            if any(stood_for is partition for stood_for, _ in flight.stands_for)
        ]

    def _recall(self, flight: InFlight, partition: RequestPartition, *, cut: bool) -> None:
        """Take back what has no answer yet, without saying that it is done: the next owner of `partition` asks it."""
        if not flight.left:
            return
        held = [offset for stood_for, offset in flight.stands_for if stood_for is partition]
        for offset in held:
            partition.tracker.hold(offset)
        recalled = self._dispatcher.recall(flight, cut=cut)
        if recalled:
            self._repetitions.discard(flight.envelope)
            return
        for offset in held:
            partition.tracker.finish(offset)

    async def _until_landed(self, partition: RequestPartition, flights: list[InFlight]) -> None:
        try:
            async with self._clock.timeout_at(self._clock.now() + self._settings.drain):
                while any(flight.left for flight in flights) and not partition.lost:
                    self._landed.clear()
                    await self._landed.wait()
        except TimeoutError:
            self._instrument.warn("calls in flight outlast the drain", pool=self._pool)

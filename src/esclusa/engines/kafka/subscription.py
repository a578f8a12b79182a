"""Subscriptions: a member of a group, and a listener of a broadcast topic.

What Kafka takes away in one revocation moves to the next owners when all of it has been released: a partition that is
released first waits for its companions, at most until the member's time to release is over.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from asyncio import Future, TimerHandle
from collections.abc import Callable, Mapping, Sequence

from esclusa.engines.kafka.admin import EARLIEST, LATEST, Admin
from esclusa.engines.kafka.client import PATIENCE
from esclusa.engines.kafka.fetcher import Fetcher
from esclusa.engines.kafka.inbox import Inbox
from esclusa.engines.kafka.membership import Letting, Listener, Membership
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed, StorageError, StorageUnavailable
from esclusa.kernel.message import Message
from esclusa.ports.log import Assigned, Delivered, Event, Revoked

RETRY = 0.2
"""Seconds between two attempts to learn where a partition begins and ends, or to commit."""
ATTEMPTS = 5
"""At a commit; a rebalance that is going on can refuse one."""
FAREWELL = 5.0
"""Seconds that leaving the group may take; the brokers notice it by themselves later."""


class Claim:
    """A member's hold on one partition, from its being given to its end."""

    __slots__ = (
        "begun",
        "committed",
        "end",
        "held",
        "letting",
        "number",
        "pending",
        "position",
        "revoking",
        "seen",
        "timer",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.committed = 0
        self.end = 0
        self.position = 0
        """The next message to hand out."""
        self.pending: list[tuple[int, Future[None]]] = []
        """Commits that have not been begun."""
        self.begun: list[tuple[int, Future[None]]] = []
        """Commits that the group is being told of."""
        self.seen = False
        """The member has received its `Assigned`."""
        self.revoking = False
        self.held = True
        """Still this member's: its commits count."""
        self.letting: Letting | None = None
        self.timer: TimerHandle | None = None

    def following(self, messages: Sequence[Message]) -> list[Message]:
        """Those that have not been handed out, which are handed out now.

        A broker that was the leader, and has fewer messages, has the client begin from the front.
        """
        found = []
        for message in messages:
            if message.offset >= self.position:
                found.append(message)
                self.position = message.offset + 1
        return found

    @property
    def goal(self) -> int:
        """The position that the commits which were begun amount to."""
        return max(self.committed, *(position for position, _ in self.begun))


class GroupMember:
    """A member of a group: `esclusa.ports.log.Subscription`."""

    def __init__(
        self,
        topic: str,
        admin: Admin,
        clock: Clock,
        release: float,
        fetcher: Callable[[Inbox[Claim]], Fetcher[Claim]],
        membership: Callable[[Listener], Membership],
    ) -> None:
        """`release`: seconds that it has between `Revoked` and its release."""
        self._topic = topic
        self._admin = admin
        self._clock = clock
        self._release = release
        self._loop = asyncio.get_running_loop()
        self._claims: dict[int, Claim] = {}
        self._news: dict[Claim, None] = {}
        self._inbox: Inbox[Claim] = Inbox()
        self._paused = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._committing: asyncio.Task[None] | None = None
        self.closed = False
        self._fetcher = self._inbox.fetcher = fetcher(self._inbox)
        self._membership = membership(self)

    # What the group says.

    def given(self, numbers: Sequence[int]) -> None:
        """These partitions are this member's; it hears of each as soon as is known where it goes on."""
        if self.closed:
            return
        claims = [Claim(number) for number in numbers]
        for claim in claims:
            before = self._claims.get(claim.number)
            if before is not None:
                self._lose(before)
            self._claims[claim.number] = claim
        task = self._loop.create_task(self._open(claims))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open(self, claims: Sequence[Claim]) -> None:
        while wanted := [claim for claim in claims if claim.held and not claim.revoking]:
            numbers = [claim.number for claim in wanted]
            try:
                committed = await within(self._membership.committed(numbers))
                starts, ends = await asyncio.gather(
                    self._admin.offsets(self._topic, numbers, EARLIEST), self._admin.offsets(self._topic, numbers, LATEST)
                )
            except Closed:
                return
            except StorageError:
                await self._clock.sleep(RETRY)
                continue
            for claim in wanted:
                if claim.held and not claim.revoking:
                    number = claim.number
                    claim.committed = claim.position = max(committed[number], starts[number])
                    claim.end = max(ends[number], claim.committed)
                    self._fetcher.start(number, claim.position, claim)
                    self._tell(claim)
            return

    def revoked(self, numbers: Sequence[int], letting: Letting) -> None:
        """These are being taken away. What its caller has not heard of goes without a word."""
        for number in numbers:
            claim = self._claims.get(number)
            if claim is None:
                letting.done(number)
                continue
            claim.letting = letting
            self._fetcher.stop(number)
            self._inbox.drop(claim)
            if claim.seen:
                claim.revoking = True
                claim.timer = self._clock.call_at(self._clock.now() + self._release, self._lose, claim)
                self._tell(claim)
            else:
                self._end(claim)

    def lost(self, numbers: Sequence[int]) -> None:
        """These are another's already."""
        for number in numbers:
            claim = self._claims.get(number)
            if claim is not None:
                self._lose(claim)

    def _lose(self, claim: Claim) -> None:
        seen = claim.seen
        self._end(claim)
        if seen:
            self._tell(claim)

    def _end(self, claim: Claim) -> None:
        """`claim` is over."""
        claim.held = False
        self._news.pop(claim, None)
        if not claim.revoking:
            self._fetcher.stop(claim.number)
            self._inbox.drop(claim)
        if claim.timer is not None:
            claim.timer.cancel()
        if self._claims.get(claim.number) is claim:
            del self._claims[claim.number]
        for _, future in (*claim.begun, *claim.pending):
            settle(future)  # whoever waits for one must not wait on into a time when the partition is given again
        claim.pending.clear()
        if claim.letting is not None:
            claim.letting.done(claim.number)

    def _tell(self, claim: Claim) -> None:
        self._news[claim] = None
        self._inbox.wake()

    # What its caller asks.

    async def receive(self) -> Event:
        """The next thing that happens; see the port."""
        await self._clock.sleep(0)  # who receives in a loop gives way to the others
        while True:
            if self.closed:
                raise Closed("the subscription is closed")
            if (event := self._next()) is not None:
                return event
            await self._inbox.woken()

    def _next(self) -> Event | None:
        if self._news:
            claim = next(iter(self._news))
            del self._news[claim]
            if not claim.held:
                return Revoked(claim.number, lost=True)
            if claim.revoking:
                return Revoked(claim.number)
            claim.seen = True
            return Assigned(claim.number, claim.committed, claim.end)
        while not self._paused and (batch := self._inbox.next()) is not None:
            claim, messages = batch
            if claim.held and not claim.revoking and (following := claim.following(messages)):
                return Delivered(claim.number, following)
        return None

    def pause(self, *, paused: bool) -> None:
        """While paused, no messages are taken from what was fetched, and soon no more is fetched."""
        self._paused = paused
        self._inbox.wake()

    def commit(self, partition: int, position: int) -> Future[None]:
        """Everything of `partition` below `position` is done with."""
        future: Future[None] = self._loop.create_future()
        claim = self._claims.get(partition)
        if claim is None or not claim.seen or position <= claim.committed:
            future.set_result(None)
            return future
        claim.pending.append((position, future))
        if self._committing is None:
            self._committing = self._loop.create_task(self._commit())
        return future

    async def _commit(self) -> None:
        """Carry out the pending commits, those of all partitions together, until there are none."""
        try:
            await self._commit_all()
        finally:
            self._committing = None  # at once: whoever hears of the last commit may ask for the next

    async def _commit_all(self) -> None:
        while claims := [claim for claim in self._claims.values() if claim.pending]:
            for claim in claims:
                claim.begun, claim.pending = claim.pending, []
            error: StorageError | None = None
            try:
                await self._write(claims)
            except StorageError as failure:
                error = failure
            for claim in claims:
                if error is None:
                    claim.committed = claim.goal
                for _, future in claim.begun:
                    settle(future, error)
                claim.begun = []

    async def _write(self, claims: Sequence[Claim]) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            positions = {claim.number: claim.goal for claim in claims if claim.held}
            if not positions:
                return
            try:
                await within(self._membership.commit(positions))
            except StorageUnavailable:
                if attempt == ATTEMPTS:
                    raise
                await self._clock.sleep(RETRY)
            else:
                return

    async def _settled(self) -> None:
        """Wait until the commits at hand are done or have failed."""
        if self._committing is not None:
            await asyncio.wait([self._committing])

    async def release(self, partition: int) -> None:
        """Give up a `Revoked` partition, once the commits at hand are done."""
        claim = self._claims.get(partition)
        if claim is not None and claim.revoking:
            await self._settled()
            if claim.held:
                self._end(claim)

    async def close(self) -> None:
        """Leave, once the commits at hand are done."""
        self.closed = True
        self._inbox.wake()
        try:
            await self._settled()
        finally:
            self._leave()
        await asyncio.wait([self._membership.ended, self._fetcher.ended], timeout=FAREWELL)

    def kill(self) -> None:
        """Die: nothing more is committed."""
        self.closed = True
        self._inbox.wake()
        if self._committing is not None:
            self._committing.cancel()
        for claim in self._claims.values():
            for _, future in (*claim.begun, *claim.pending):
                settle(future, Closed("the process was killed"))
        self._leave()

    def _leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        for claim in list(self._claims.values()):
            self._end(claim)
        self._membership.close()
        self._fetcher.close()


class BroadcastListener:
    """A listener of a broadcast topic: `esclusa.ports.log.Subscription`, of which only `receive` and `close` mean much."""

    def __init__(self, clock: Clock, ends: Mapping[int, int], fetcher: Callable[[Inbox[int]], Fetcher[int]]) -> None:
        """`ends`: where each partition ends now."""
        self._clock = clock
        self._inbox: Inbox[int] = Inbox()
        self._fetcher = self._inbox.fetcher = fetcher(self._inbox)
        self.closed = False
        for number, end in ends.items():
            self._fetcher.start(number, end, number)

    async def receive(self) -> Event:
        """The next messages."""
        await self._clock.sleep(0)
        while True:
            if self.closed:
                raise Closed("the subscription is closed")
            if (batch := self._inbox.next()) is not None:
                return Delivered(*batch)
            await self._inbox.woken()

    def pause(self, *, paused: bool) -> None:
        """Nothing: a listener is never paused."""

    def commit(self, partition: int, position: int) -> Future[None]:  # noqa: ARG002 - a listener has no position
        """Nothing: a listener has no position."""
        future: Future[None] = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future

    async def release(self, partition: int) -> None:
        """Nothing: a listener is given no partition."""

    async def close(self) -> None:
        """Stop to listen."""
        self.kill()
        await asyncio.wait([self._fetcher.ended], timeout=FAREWELL)

    def kill(self) -> None:
        """Die: as `close`."""
        self.closed = True
        self._inbox.wake()
        self._fetcher.close()


def settle(future: Future[None], error: StorageError | None = None) -> None:
    """Done, or failed with an error of its own."""
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        own = type(error)(str(error))
        own.__cause__ = error.__cause__
        future.set_exception(own)


async def within(future: concurrent.futures.Future[dict[int, int]]) -> dict[int, int]:
    """What a client's thread answers in time; else `StorageUnavailable`. Unless it has begun, it is not done then."""
    try:
        async with asyncio.timeout(PATIENCE + 1):
            return await asyncio.wrap_future(future)
    except TimeoutError:
        raise StorageUnavailable("kafka: the brokers don't answer") from None

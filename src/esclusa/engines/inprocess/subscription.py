"""Subscriptions: a member of a group, and a listener of a broadcast topic.

A member holds no messages: `receive` takes the next batch from the partition when it is called, so a member that does
not receive costs nothing. A listener holds what it has not received, within `LISTENER_BYTES`; beyond, the oldest go.
"""

from __future__ import annotations

import asyncio
from collections import deque

from esclusa.engines.inprocess.futures import done
from esclusa.engines.inprocess.group import Claim, Group
from esclusa.engines.inprocess.topics import Channel
from esclusa.engines.inprocess.writer import Commit, Writer
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed
from esclusa.kernel.message import Message
from esclusa.ports.log import Assigned, Delivered, Event, Revoked

LISTENER_BYTES = 4 << 20
"""What a listener may have waiting."""
ENTRY = 100
"""Bytes that a waiting message counts beside its value."""


class GroupMember:
    """A member of a group: `esclusa.ports.log.Subscription`."""

    def __init__(self, group: Group, writer: Writer, clock: Clock, release: float) -> None:
        """`release`: seconds that it has between `Revoked` and its release."""
        self.clock = clock
        self.limit = release
        self._paused = False
        self._group = group
        self._writer = writer
        self._claims: dict[int, Claim] = {}
        self._turns: deque[Claim] = deque()
        self._news: dict[Claim, None] = {}
        self._committing: dict[int, asyncio.Future[None]] = {}
        self._woken = asyncio.Event()
        self.closed = False
        group.join(self)

    def wake(self) -> None:
        """There is something to receive."""
        self._woken.set()

    def given(self, claim: Claim) -> None:
        """A partition is this member's from now on."""
        self._claims[claim.partition.number] = claim
        self._turns.append(claim)
        self.told(claim)
        claim.partition.readers.add(self)

    def told(self, claim: Claim) -> None:
        """Something about `claim` has changed that the caller of `receive` must hear of."""
        if not claim.held:
            self._drop(claim)
        self._news[claim] = None
        self.wake()

    def taken(self, claim: Claim) -> None:
        """`claim` is over, and the caller of `receive` needs not hear of it."""
        self._news.pop(claim, None)
        self._drop(claim)

    def _drop(self, claim: Claim) -> None:
        if self._claims.get(claim.partition.number) is claim:
            del self._claims[claim.partition.number]
            claim.partition.readers.discard(self)
        if claim in self._turns:
            self._turns.remove(claim)

    async def receive(self) -> Event:
        """The next thing that happens; see the port. `StorageUnavailable` when older messages can't be read just now."""
        await self.clock.sleep(0)  # who receives in a loop gives way to the others
        while True:
            if self.closed:
                raise Closed("the subscription is closed")
            if (event := self._next()) is not None:
                return event
            self._woken.clear()
            await self._woken.wait()

    def _next(self) -> Event | None:
        if self._news:
            claim = next(iter(self._news))
            del self._news[claim]
            return self._said(claim)
        for _ in range(0 if self._paused else len(self._turns)):
            claim = self._turns[0]
            self._turns.rotate(-1)
            if claim.seen and not claim.revoking and (batch := claim.partition.fetch(claim.position)):
                claim.position = batch[-1].offset + 1
                return Delivered(claim.partition.number, batch)
        return None

    def _said(self, claim: Claim) -> Event:
        number = claim.partition.number
        if not claim.held:
            return Revoked(number, lost=True)
        if claim.revoking:
            return Revoked(number)
        claim.seen = True
        claim.position = self._group.committed(number)
        return Assigned(number, claim.position, claim.partition.end)

    def pause(self, *, paused: bool) -> None:
        """While paused, no messages are taken from the partitions."""
        self._paused = paused
        self.wake()

    def commit(self, partition: int, position: int) -> asyncio.Future[None]:
        """Everything of `partition` below `position` is done with; `ValueError` for a position beyond its end."""
        claim = self._claims.get(partition)
        if claim is None or position <= self._group.committed(partition):
            return done(None)
        if position > claim.partition.end:
            raise ValueError(f"position {position} is beyond the end of partition {partition}, {claim.partition.end}")
        future = self._writer.submit(Commit(claim, position))
        self._committing[partition] = future
        return future

    async def _committed(self, partitions: list[int]) -> None:
        """Wait until the commits at hand are done or have failed."""
        at_hand = [self._committing.pop(number) for number in partitions if number in self._committing]
        if at_hand:
            await asyncio.wait(at_hand)

    async def release(self, partition: int) -> None:
        """Give up a `Revoked` partition, once the commits at hand are done."""
        claim = self._claims.get(partition)
        if claim is not None and claim.revoking:
            await self._committed([partition])
            self._group.release(claim)

    async def close(self) -> None:
        """Leave, once the commits at hand are done."""
        self.closed = True
        self.wake()
        try:
            await self._committed(list(self._committing))
        finally:
            self._group.leave(self)

    def kill(self) -> None:
        """Die: nothing more is committed, and others are given what this member had."""
        self.closed = True
        self.wake()
        self._group.leave(self)


class Listener:
    """A listener of a broadcast topic: `esclusa.ports.log.Subscription`, of which only `receive` and `close` mean much."""

    def __init__(self, channel: Channel, clock: Clock) -> None:
        self._channel = channel
        self._clock = clock
        self._heard: deque[tuple[int, Message]] = deque()
        self._bytes = 0
        self._woken = asyncio.Event()
        self.closed = False
        channel.hearers[self] = None

    def hear(self, partition: int, message: Message) -> None:
        """A message for whoever receives; what has waited longest goes when there is no room."""
        self._heard.append((partition, message))
        self._bytes += len(message.value) + ENTRY
        while self._bytes > LISTENER_BYTES and len(self._heard) > 1:
            self._bytes -= len(self._heard.popleft()[1].value) + ENTRY
        self._woken.set()

    async def receive(self) -> Event:
        """The next messages."""
        await self._clock.sleep(0)
        while not self._heard:
            if self.closed:
                raise Closed("the subscription is closed")
            self._woken.clear()
            await self._woken.wait()
        if self.closed:
            raise Closed("the subscription is closed")
        return self._take()

    def _take(self) -> Delivered:
        """What is at hand of the partition whose turn it is."""
        partition = self._heard[0][0]
        messages = []
        while self._heard and self._heard[0][0] == partition:
            message = self._heard.popleft()[1]
            self._bytes -= len(message.value) + ENTRY
            messages.append(message)
        return Delivered(partition, messages)

    def pause(self, *, paused: bool) -> None:
        """Nothing: what a listener has no room for goes."""

    def commit(self, partition: int, position: int) -> asyncio.Future[None]:  # noqa: ARG002 - a listener has no position
        """Nothing: a listener has no position."""
        return done(None)

    async def release(self, partition: int) -> None:
        """Nothing: a listener is given no partition."""

    async def close(self) -> None:
        """Stop to listen."""
        self.kill()

    def kill(self) -> None:
        """Die: as `close`."""
        self.closed = True
        self._channel.hearers.pop(self, None)
        self._heard.clear()
        self._woken.set()

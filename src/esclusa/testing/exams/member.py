"""A member of a group that receives in the background, and what it has been told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from esclusa.kernel.errors import Closed
from esclusa.kernel.message import Message
from esclusa.ports.log import Assigned, Event, Revoked, Subscription


class Member:
    """Receives from `subscription` until it is closed, and checks what every engine must keep to.

    A `Revoked` partition is released at once if `releases`. `changed` is set whenever something comes.
    """

    def __init__(
        self,
        subscription: Subscription,
        *,
        releases: bool = True,
        limit: float = 60.0,
        changed: asyncio.Event | None = None,
    ) -> None:
        self.subscription = subscription
        self.events: list[Event] = []
        self.owned: dict[int, Assigned] = {}
        self.revoked: list[int] = []
        self.lost: list[int] = []
        self.messages: list[tuple[int, Message]] = []
        self.current: dict[int, list[bytes]] = {}
        """The values of each partition since it was last given."""
        self.closed = False
        self._releases = releases
        self._limit = limit
        self._next: dict[int, int] = {}
        self._changed = asyncio.Event() if changed is None else changed
        self._task = asyncio.ensure_future(self._receive())

    async def _receive(self) -> None:
        try:
            while True:
                event = await self.subscription.receive()
                self.events.append(event)
                self._take(event)
                self._changed.set()
                if isinstance(event, Revoked) and not event.lost and self._releases:
                    await self.subscription.release(event.partition)
        except Closed:
            self.closed = True
        finally:
            self._changed.set()

    def _take(self, event: Event) -> None:
        if isinstance(event, Assigned):
            assert event.partition not in self.owned, "a partition is given that is held already"
            assert event.committed <= event.end
            self.owned[event.partition] = event
            self._next[event.partition] = event.committed
            self.current[event.partition] = []
        elif isinstance(event, Revoked):
            assert event.partition in self.owned or event.lost, "a partition is revoked that was not given"
            self.owned.pop(event.partition, None)
            (self.lost if event.lost else self.revoked).append(event.partition)
        else:
            assert event.partition in self.owned, "messages of a partition that is not held"
            assert event.messages, "a batch has messages"
            for message in event.messages:
                assert message.offset >= self._next[event.partition], "messages come in order, none below the position"
                self._next[event.partition] = message.offset + 1
                self.messages.append((event.partition, message))
                self.current[event.partition].append(message.value)

    @property
    def values(self) -> list[bytes]:
        """What has come, in its order."""
        return [message.value for _, message in self.messages]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition()`; it is looked at again whenever something comes."""
        async with asyncio.timeout(self._limit):
            while not condition():
                self.alive()
                self._changed.clear()
                await self._changed.wait()

    async def gets(self, count: int) -> None:
        """Wait until `count` messages have come in all."""
        await self.until(lambda: len(self.messages) >= count)

    async def holds(self, count: int) -> None:
        """Wait until it holds exactly `count` partitions."""
        await self.until(lambda: len(self.owned) == count)

    async def must_release(self, count: int) -> None:
        """Wait until it has been told of `count` partitions that they are being taken away."""
        await self.until(lambda: len(self.revoked) >= count)

    def alive(self) -> None:
        """Fail if it receives no more, with the reason."""
        if self._task.done():
            self._task.result()
            raise AssertionError("the subscription was closed before what was waited for")

    async def stop(self) -> None:
        """Receive no more; the subscription stays as it is."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def close(self) -> None:
        """Close the subscription, which must end the waiting `receive`."""
        await self.subscription.close()
        await self.until(lambda: self.closed)

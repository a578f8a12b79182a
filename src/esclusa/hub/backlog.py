"""Envelopes of one partition that can't be handed out at once: what they need is fetched, and they go on in order.

They may have been answered before this process had the partition, so that the answers have to be read first; or the key
that opens them could not be read just now.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from esclusa.hub.backoff import Backoff
from esclusa.kernel.errors import StorageError

if TYPE_CHECKING:
    from esclusa.hub.recovery import Recovery
    from esclusa.hub.room import Room
    from esclusa.hub.stored import Envelope
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.instrument import Instrument

KEEP = 5.0
"""Seconds after its last use that what recovery has read is kept."""
NAME_BYTES = 64
"""What the name of a connector costs in memory, roughly."""

HandOut = Callable[[int, "Envelope", Mapping[str, int]], Awaitable[None]]
"""Hands out the envelope at an offset; the mapping says who has answered it before, with how many bytes. `StorageError`: not now."""


class Backlog:
    """The envelopes of one partition that wait, for as long as this process has it."""

    def __init__(self, recovery: Recovery, hand_out: HandOut, room: Room, clock: Clock, instrument: Instrument) -> None:
        self._recovery = recovery
        self._hand_out = hand_out
        self._room = room
        self._clock = clock
        self._instrument = instrument
        self._envelopes: deque[tuple[int, Envelope]] = deque()
        self._forget_at: float | None = None
        """When what recovery has read is needed no more, in seconds since the epoch; None: nothing has been read."""
        self._stirred = asyncio.Event()
        self._over = False

    def __len__(self) -> int:
        return len(self._envelopes)

    def add(self, offset: int, envelope: Envelope) -> None:
        """Have `envelope`, which stands at `offset`, wait its turn."""
        self._envelopes.append((offset, envelope))
        self._room.take(_size(envelope))
        self._stirred.set()

    def stir(self) -> None:
        """Have `idle` called anew: an envelope has come that did not have to wait."""
        self._stirred.set()

    def close(self) -> None:
        """Hand out nothing more: what waits is the partition's next owner's."""
        self._over = True
        self._room.give_back(sum(_size(envelope) for _, envelope in self._envelopes))
        self._envelopes.clear()
        self._stirred.set()

    async def run(self, idle: Callable[[], None]) -> None:
        """Hand out, in order, until `close`. `idle()` each time that nothing waits."""
        backoff = Backoff()
        while not self._over:
            if not self._envelopes:
                self._stirred.clear()
                idle()
                await self._more()
                continue
            try:
                await self._first()
            except StorageError as error:
                self._instrument.warn("an envelope can't be handed out, again", error=str(error))
                await self._clock.sleep(backoff.next())
            else:
                backoff.succeeded()

    async def _first(self) -> None:
        """Hand out the one whose turn it is."""
        offset, envelope = self._envelopes[0]
        answered = await self._recovery.answered(envelope)
        self._forget_at = self._clock.now() + KEEP
        if self._envelopes:  # else it was taken away meanwhile; and so below
            await self._hand_out(offset, envelope, answered)
        if self._envelopes:
            self._envelopes.popleft()
            self._room.give_back(_size(envelope))

    async def _more(self) -> None:
        """Wait until there is more. What was read is forgotten once it has been of no use for a while."""
        if self._forget_at is None:
            await self._stirred.wait()
            return
        try:
            async with self._clock.timeout_at(self._forget_at):
                await self._stirred.wait()
        except TimeoutError:
            self._recovery.forget()
            self._forget_at = None


def _size(envelope: Envelope) -> int:
    """Bytes that it holds while it waits, roughly."""
    return len(envelope.sealed) + NAME_BYTES * len(envelope.connectors)

"""What a subscription says, for as long as it is open, whatever storage does meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from esclusa.hub.backoff import Backoff
from esclusa.hub.stored import T, decode
from esclusa.kernel.errors import Closed, StorageError, Unreadable
from esclusa.ports.log import Delivered

if TYPE_CHECKING:
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.instrument import Instrument
    from esclusa.ports.log import Event, Subscription


async def events(subscription: Subscription, topic: str, clock: Clock, instrument: Instrument) -> AsyncIterator[Event]:
    """Every event until the subscription is closed. What can't be read now is waited for, with a warning each time."""
    backoff = Backoff()
    while True:
        try:
            event = await subscription.receive()
        except Closed:
            return
        except StorageError as error:
            instrument.warn("a topic can't be read, again", topic=topic, error=str(error))
            await clock.sleep(backoff.next())
        else:
            backoff.succeeded()
            yield event


async def heard(said: AsyncIterator[Event], kind: type[T], unreadable: Callable[[Unreadable], None]) -> AsyncIterator[T]:
    """Every message of a broadcast topic, decoded as `kind`; what can't be is given to `unreadable`."""
    async for event in said:
        if isinstance(event, Delivered):
            for message in event.messages:
                try:
                    decoded = decode(kind, message.value)
                except Unreadable as error:
                    unreadable(error)
                else:
                    yield decoded

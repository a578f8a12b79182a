"""What is said to every process on a broadcast topic."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from esclusa.hub.stored import T, decode
from esclusa.kernel.errors import Closed, Unreadable
from esclusa.ports.log import Delivered

if TYPE_CHECKING:
    from esclusa.ports.log import Subscription


async def heard(subscription: Subscription, kind: type[T], unreadable: Callable[[Unreadable], None]) -> AsyncIterator[T]:
    """Every message, decoded as `kind`, until the subscription is closed; what can't be is given to `unreadable`."""
    while True:
        try:
            event = await subscription.receive()
        except Closed:
            return
        if isinstance(event, Delivered):
            for message in event.messages:
                try:
                    said = decode(kind, message.value)
                except Unreadable as error:
                    unreadable(error)
                else:
                    yield said

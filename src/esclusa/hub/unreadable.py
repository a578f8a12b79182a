"""Messages that can't be decoded or opened: counted and said. Whoever meets one settles it, and goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from esclusa.kernel.errors import Unreadable
    from esclusa.kernel.instrument import Instrument


class UnreadableMessages:
    """Counts and logs the unreadable messages that this process meets."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._counter = instrument.counter("esclusa_hub_unreadable_total", "Messages that can't be decoded or opened", "topic")

    def add(self, topic: str, error: Unreadable) -> None:
        """One more was met, in `topic`."""
        self._counter.add(topic)
        self._instrument.error("a message can't be read, settled", topic=topic, error=str(error))

"""What the log carries."""

from __future__ import annotations

import msgspec


class Message(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One entry of a partition of a topic, as it is received."""

    offset: int
    """Its place in the partition: 0, 1, 2, ... with no promise that none is left out."""
    made: int
    """When it was appended, by the appender's clock: milliseconds since the epoch."""
    key: bytes
    """Messages of the same key are in the same partition, in the order in which they were appended."""
    value: bytes

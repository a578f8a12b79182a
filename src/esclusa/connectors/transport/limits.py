"""What a client lets one back end take of this process."""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """The bounds of a pool of connections and of one answer."""

    connections: int = 64
    """Connections to the back end at a time, those being made included."""
    waiting: int = 1024
    """Calls that may wait for a connection; beyond: `busy`."""
    idle: float = 30.0
    """Seconds that an unused connection is kept; less if the back end says so (`Keep-Alive: timeout=5`); 0: never."""
    max_head: int = 65_536
    """Bytes of status line and fields, informational answers (1xx) included."""
    max_fields: int = 256
    """Fields of one head."""
    max_body: int = 262_144
    """Bytes of one body, as it comes and once it is decompressed."""

"""What a dialler connects: the protocol, as asyncio calls it, of one connection."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod


class Carrier(asyncio.Protocol, ABC):
    """Carries calls over a connection."""

    __slots__ = ()

    @abstractmethod
    def close(self) -> None:
        """Close the connection, be it there already or not."""

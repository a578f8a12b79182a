"""Keys: secrets that die on time.

Whatever is personal is encrypted before it is stored anywhere, so this is the one store from which something has to be
physically destroyed. A key is small, made by its owner, and never changes.
"""

from __future__ import annotations

from asyncio import Future
from typing import Protocol


class Keys(Protocol):
    """Secrets by id. Ids are 16 bytes, secrets 32."""

    def make(self, id: bytes, secret: bytes, dies: int) -> Future[None]:
        """Store `secret` until `dies` (ms since the epoch). Done when durable and readable by every process.

        Storing the same id and secret again changes nothing.
        """

    def get(self, id: bytes) -> Future[bytes | None]:
        """The secret; None when unknown or past its time (tested here, whether or not it is destroyed yet)."""

    async def destroy(self, before: int) -> int:
        """Physically destroy the secrets that died before `before` (ms since the epoch); how many died.

        When it returns, they are in no file of the engine (on a cluster: within the time that its documentation states).
        """

    async def close(self) -> None:
        """Finish what is at hand and let go."""

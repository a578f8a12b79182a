"""Keys in memory."""

from __future__ import annotations

from asyncio import Future

from esclusa.engines.inprocess.futures import done, failed
from esclusa.engines.memory.world import World
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed


class MemoryKeys:
    """`esclusa.ports.keys.Keys` over a memory, by one process's clock."""

    def __init__(self, world: World, clock: Clock) -> None:
        self._world = world
        self._clock = clock
        self._closed = False

    def make(self, id: bytes, secret: bytes, dies: int) -> Future[None]:
        """Store `secret` until `dies`; `ValueError` for another secret of the same id."""
        if self._closed:
            return failed(Closed("the keys are closed"))
        if self._world.secrets.setdefault(id, (secret, dies))[0] != secret:
            raise ValueError("a key never changes: this id has another secret already")
        return done(None)

    def get(self, id: bytes) -> Future[bytes | None]:
        """The secret; None when unknown or past its time."""
        if self._closed:
            return failed(Closed("the keys are closed"))
        secret, dies = self._world.secrets.get(id, (None, 0))
        return done(secret if dies > self._clock.millis() else None)

    async def destroy(self, before: int) -> int:
        """Destroy the secrets that died before `before`; how many."""
        if self._closed:
            raise Closed("the keys are closed")
        limit = min(before, self._clock.millis())
        dead = [id for id, (_, dies) in self._world.secrets.items() if dies < limit]
        for id in dead:
            del self._world.secrets[id]
        return len(dead)

    async def close(self) -> None:
        """Let go."""
        self._closed = True

    def kill(self) -> None:
        """Die."""
        self._closed = True

"""Keys on Cassandra: one partition a key, and a list of what dies in each hour, so that the dead can be found.

A key dies for readers by their clocks, for the servers by its TTL and by `destroy`, and on the disks as soon as the delete
has been flushed and its file merged with the others (`schema`), which is seconds later. `destroy` deletes what has died,
key by key, and takes it off the list; a key that nobody destroys is gone by its TTL, and off the disks with the next one
that is destroyed. Two processes that destroy at the same moment may both count a key.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Coroutine
from typing import Any, TypeVar

from esclusa.engines.cassandra.session import Prepared, Session, failed, tuples
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed

T = TypeVar("T")

HOUR_MS = 3_600_000
"""Milliseconds of death that share a partition of the list."""
LISTED = 3_600
"""Seconds that a key is listed after its death; nobody destroys it later, and nobody has to."""
LATE_MS = 60_000
"""Milliseconds before the last round's end that a key may have died and yet be made after it: clocks differ."""
AT_ONCE = 64
"""Keys that are destroyed at a time."""


class CassandraKeys:
    """`esclusa.ports.keys.Keys` over a session, by one process's clock. Usable once `prepare` has been awaited."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._closed = False
        self._destroyed = 0
        """Before this moment less `LATE_MS`, nothing is left to be destroyed."""
        self._make: Prepared
        self._list: Prepared
        self._get: Prepared
        self._dead: Prepared
        self._destroy: Prepared
        self._unlist: Prepared

    async def prepare(self) -> None:
        """Have the statements prepared. `StorageUnavailable`."""
        prepare = self._session.prepare
        # The time of death is the write timestamp too: a delete of the same moment wins, whoever's clock is off.
        self._make = await prepare(
            "INSERT INTO {keyspace}_keys.keys (id, secret, dies) VALUES (?, ?, ?) USING TIMESTAMP ? AND TTL ?"
        )
        self._list = await prepare(
            "INSERT INTO {keyspace}.deaths (hour, dies, id) VALUES (?, ?, ?) USING TIMESTAMP ? AND TTL ?"
        )
        self._get = await prepare("SELECT secret, dies FROM {keyspace}_keys.keys WHERE id = ?")
        self._dead = await prepare("SELECT dies, id FROM {keyspace}.deaths WHERE hour = ? AND dies >= ? AND dies < ?")
        self._destroy = await prepare("DELETE FROM {keyspace}_keys.keys USING TIMESTAMP ? WHERE id = ?")
        self._unlist = await prepare("DELETE FROM {keyspace}.deaths USING TIMESTAMP ? WHERE hour = ? AND dies = ? AND id = ?")

    def make(self, id: bytes, secret: bytes, dies: int) -> Future[None]:
        """Store `secret` until `dies`. `ValueError` for wrong sizes. Another secret of the same id is the caller's mistake."""
        if (len(id), len(secret)) != (16, 32):
            raise ValueError("an id has 16 bytes and a secret 32")
        return self._run(self._store(id, secret, dies))

    async def _store(self, id: bytes, secret: bytes, dies: int) -> None:
        now = self._clock.millis()
        if dies <= now:
            return
        ttl = -((now - dies) // 1000) + 1
        execute = self._session.execute
        # Listed first: what is not listed would be left to its TTL.
        await execute(self._list, (dies // HOUR_MS, dies, id, dies * 1000, ttl + LISTED))
        await execute(self._make, (id, secret, dies, dies * 1000, ttl))

    def get(self, id: bytes) -> Future[bytes | None]:
        """The secret; None when unknown or past its time."""
        return self._run(self._find(id))

    async def _find(self, id: bytes) -> bytes | None:
        for secret, dies in tuples(await self._session.execute(self._get, (id,))):
            if dies > self._clock.millis():
                return bytes(secret)
        return None

    async def destroy(self, before: int) -> int:
        """Delete the secrets that died before `before`, of the last hour; how many."""
        return await self._run(self._delete(min(before, self._clock.millis())))

    async def _delete(self, before: int) -> int:
        since = max(self._destroyed - LATE_MS, before - LISTED * 1000)
        dead: list[tuple[int, bytes]] = []
        for hour in range(since // HOUR_MS, before // HOUR_MS + 1):
            found = await self._session.execute(self._dead, (hour, since, before))
            dead += [(dies, bytes(id)) for dies, id in tuples(found)]
        for first in range(0, len(dead), AT_ONCE):
            await asyncio.gather(*[self._end(dies, id) for dies, id in dead[first : first + AT_ONCE]])
        self._destroyed = max(self._destroyed, before)
        return len(dead)

    async def _end(self, dies: int, id: bytes) -> None:
        execute = self._session.execute
        await execute(self._destroy, (dies * 1000, id))
        await execute(self._unlist, (dies * 1000, dies // HOUR_MS, dies, id))

    def _run(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        if self._closed:
            work.close()
            return failed(Closed("the keys are closed"))
        return self._session.run(0, work)

    async def close(self) -> None:
        """Finish what is at hand and let go."""
        self._closed = True
        await self._session.settled()

    def kill(self) -> None:
        """Die: as close, with nothing finished."""
        self._closed = True

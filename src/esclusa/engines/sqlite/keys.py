"""Keys in a file of fixed slots: written in place, destroyed in place.

Destroying a key writes zeros over its slot and waits until they are on the disk, which no database does with what it
deletes. A slot holds a mark, the id, the secret, when it dies and a checksum; a free one is all zeros. A slot whose
writing failed may hold a secret all the same: it is the first to be written over, and zeroed with the next that die.
"""

from __future__ import annotations

import asyncio
import struct
import zlib
from asyncio import Future
from functools import partial
from pathlib import Path

import msgspec

from esclusa.engines.inprocess.futures import done, failed
from esclusa.engines.sqlite.slots import EMPTY, SLOT, Slots
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed

MARK = b"key1"
_HEAD = struct.Struct(">4s16s32sQ")


class Key(msgspec.Struct):
    """A key, and the slot in which it stands."""

    id: bytes
    secret: bytes
    dies: int
    slot: int
    durable: bool = False
    writes: int = 0
    """At hand."""


def packed(key: Key) -> bytes:
    """The contents of a slot."""
    head = _HEAD.pack(MARK, key.id, key.secret, key.dies)
    return head + zlib.crc32(head).to_bytes(SLOT - _HEAD.size, "big")


def unpacked(slot: int, content: bytes) -> Key | None:
    """The key in a slot; None for a free one, and for one whose writing was cut off."""
    head = content[: _HEAD.size]
    mark, id, secret, dies = _HEAD.unpack(head)
    if mark != MARK or zlib.crc32(head) != int.from_bytes(content[_HEAD.size :], "big"):
        return None
    return Key(id, secret, dies, slot, durable=True)


class SqliteKeys:
    """`esclusa.ports.keys.Keys` over `slots`. Living secrets are in memory too, so `get` never waits."""

    def __init__(self, slots: Slots, clock: Clock) -> None:
        self._slots = slots
        self._clock = clock
        self._keys: dict[bytes, Key] = {}
        self._free: list[int] = []
        self._doubtful: list[int] = []
        self._end = 0
        self._closed = False

    def open(self, path: Path) -> None:
        """Read what is there; whatever was cut off in its writing, or stands there twice, is cleared. Blocks, shortly."""
        contents = self._slots.open(path)
        self._end = len(contents)
        for slot, content in enumerate(contents):
            key = unpacked(slot, content)
            if key is not None and key.id not in self._keys:
                self._keys[key.id] = key
            elif content == EMPTY:
                self._free.append(slot)
            else:
                self._clear(slot)

    def make(self, id: bytes, secret: bytes, dies: int) -> Future[None]:
        """Store `secret` until `dies`; `ValueError` for another secret of the same id, and for wrong sizes."""
        if self._closed:
            return failed(Closed("the keys are closed"))
        key = self._keys.get(id)
        if key is None:
            if (len(id), len(secret)) != (16, 32):
                raise ValueError("an id has 16 bytes and a secret 32")
            if dies <= self._clock.millis():
                return done(None)
            key = self._keys[id] = Key(id, secret, dies, self._slot())
        elif key.secret != secret:
            raise ValueError("a key never changes: this id has another secret already")
        elif key.durable or key.dies <= self._clock.millis():
            return done(None)
        key.writes += 1
        return self._slots.write(key.slot, packed(key), partial(self._made, key), partial(self._failed, key))

    def _made(self, key: Key) -> None:
        key.writes -= 1
        key.durable = True

    def _failed(self, key: Key) -> None:
        key.writes -= 1
        if not key.durable and not key.writes:
            self._drop(key, self._doubtful)

    def _drop(self, key: Key, slots: list[int]) -> None:
        """Forget `key`; its slot is one of `slots` from now on."""
        if self._keys.get(key.id) is key:
            del self._keys[key.id]
            slots.append(key.slot)

    def _slot(self) -> int:
        for slots in (self._doubtful, self._free):
            if slots:
                return slots.pop()
        self._end += 1
        return self._end - 1

    def get(self, id: bytes) -> Future[bytes | None]:
        """The secret; None when unknown or past its time."""
        if self._closed:
            return failed(Closed("the keys are closed"))
        key = self._keys.get(id)
        return done(key.secret if key is not None and key.durable and key.dies > self._clock.millis() else None)

    async def destroy(self, before: int) -> int:
        """Zero the slots of the secrets that died before `before`; how many. Cancelled, it goes on all the same."""
        if self._closed:
            raise Closed("the keys are closed")
        limit = min(before, self._clock.millis())
        dead = [key for key in self._keys.values() if key.dies < limit]
        doubtful, self._doubtful = self._doubtful, []
        await asyncio.gather(
            *[self._slots.write(key.slot, EMPTY, partial(self._drop, key, self._free)) for key in dead],
            *[self._clear(slot) for slot in doubtful],
        )
        return len(dead)

    def _clear(self, slot: int) -> Future[None]:
        """Zero a slot that is nobody's, and may be given to somebody once that is done."""
        return self._slots.write(slot, EMPTY, lambda: self._free.append(slot), lambda: self._doubtful.append(slot))

    async def close(self) -> None:
        """Finish the writes at hand and let go."""
        self._closed = True
        await self._slots.settled()

    def kill(self) -> None:
        """Die: as close, with nothing finished."""
        self._closed = True

"""What is personal is encrypted before any port sees it, with keys that die on time (H6).

AES-256-GCM. A key belongs to one process and one bucket of ten seconds of expiry: made here, stored through the `keys`
port before its first use, destroyed once the bucket is over. Destroying a key makes unreadable every copy, in whatever
file, log or backup, of what it sealed. A nonce is the key's running number: one process alone uses a key, and a process
that starts again makes new ones.

A sealed value: 16 bytes key id, 12 bytes nonce, the ciphertext and its tag. What it belongs to is authenticated with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from esclusa.kernel.errors import Unreadable
from esclusa.kernel.lifecycle import Background

if TYPE_CHECKING:
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.ids import Ids
    from esclusa.ports.keys import Keys

BUCKET_MS = 10_000
"""Milliseconds of expiry that share a key: how much later than its data a key may die."""
EVERY = 2.0
"""Seconds between two looks at the keys in memory."""
_ID, _NONCE = 16, 12
_OVERHEAD = _ID + _NONCE + 16


class Sealer:
    """One key of this process, ready for use."""

    __slots__ = ("_cipher", "_count", "_id", "dies")

    def __init__(self, id: bytes, secret: bytes, dies: int) -> None:
        self._id = id
        self._cipher = AESGCM(secret)
        self._count = 0
        self.dies = dies

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """`plain` encrypted, bound to `context`: the same context opens it."""
        self._count += 1
        nonce = self._count.to_bytes(_NONCE, "big")
        return self._id + nonce + self._cipher.encrypt(nonce, plain, context)


class NewKey:
    """A key that is being stored."""

    __slots__ = ("dies", "id", "lock", "secret")

    def __init__(self, id: bytes, secret: bytes, dies: int) -> None:
        self.id = id
        self.secret = secret
        self.dies = dies
        self.lock = asyncio.Lock()


class Vault:
    """The part that seals and opens.

    In memory it holds the keys that it seals with until they die, and those that it opens with for `BUCKET_MS` after their
    first use: one that has been destroyed meanwhile opens nothing but what a reader refuses to show by its own clock.
    """

    def __init__(self, keys: Keys, clock: Clock, ids: Ids) -> None:
        self.background = Background("vault")
        self._keys = keys
        self._clock = clock
        self._ids = ids
        self._sealers: dict[int, Sealer] = {}
        self._new: dict[int, NewKey] = {}
        self._opened: dict[bytes, tuple[AESGCM, int]] = {}

    async def start(self) -> None:
        """Drop what dies, every `EVERY` seconds."""
        self.background.spawn("drop", self._keep_dropping())

    async def drain(self) -> None:
        """Nothing to finish."""

    async def stop(self) -> None:
        """Forget every key."""
        await self.background.cancel()
        for keys in (self._sealers, self._new, self._opened):
            keys.clear()

    async def _keep_dropping(self) -> None:
        while True:
            self._drop(self._clock.millis())
            await self._clock.sleep(EVERY)

    async def sealer(self, expires: int) -> Sealer:
        """The key for what expires at `expires` (ms since the epoch), stored. Raises `StorageError`.

        A key whose storing failed is the one that is tried again: it may have been stored after all.
        """
        bucket = expires // BUCKET_MS
        ready = self._sealers.get(bucket)
        if ready is not None:
            return ready
        new = self._new.get(bucket)
        if new is None:
            new = self._new[bucket] = NewKey(self._ids.secret(_ID), self._ids.secret(32), (bucket + 1) * BUCKET_MS)
        async with new.lock:
            ready = self._sealers.get(bucket)
            if ready is None:
                await self._keys.make(new.id, new.secret, new.dies)
                ready = self._sealers[bucket] = Sealer(new.id, new.secret, new.dies)
                self._new.pop(bucket, None)
        return ready

    async def open(self, sealed: bytes, context: bytes) -> bytes:
        """The plain bytes. `Unreadable` when the key is gone or `context` is another; `StorageError`."""
        return (await self.open_all([(sealed, context)]))[0]

    async def open_all(self, sealed: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """The plain bytes of `(sealed, context)`, in order; fails as `open` does if one of them can't be opened."""
        ciphers: dict[bytes, AESGCM] = {}
        for value, _ in sealed:
            if len(value) < _OVERHEAD:
                raise Unreadable("too short to be anything sealed")
            id = value[:_ID]
            if id not in ciphers:
                ciphers[id] = await self._cipher(id)
        return [_decrypt(ciphers[value[:_ID]], value, context) for value, context in sealed]

    async def _cipher(self, id: bytes) -> AESGCM:
        known = self._opened.get(id)
        if known is not None:
            return known[0]
        secret = await self._keys.get(id)
        if secret is None:
            raise Unreadable("its key is gone")
        # When the key dies is the port's to know; here it is only kept for a while.
        cipher = AESGCM(secret)
        self._opened[id] = cipher, self._clock.millis() + BUCKET_MS
        return cipher

    def _drop(self, before: int) -> None:
        """Take from memory the keys that died before `before` (ms since the epoch)."""
        for bucket in [bucket for bucket, sealer in self._sealers.items() if sealer.dies <= before]:
            del self._sealers[bucket]
        for bucket in [bucket for bucket, new in self._new.items() if new.dies <= before]:
            del self._new[bucket]
        for id in [id for id, (_, until) in self._opened.items() if until <= before]:
            del self._opened[id]


def _decrypt(cipher: AESGCM, sealed: bytes, context: bytes) -> bytes:
    whole = memoryview(sealed)  # a pack may be long: no copy of it
    try:
        return cipher.decrypt(whole[_ID : _ID + _NONCE], whole[_ID + _NONCE :], context)
    except InvalidTag as error:
        raise Unreadable("sealed with another key, or for another place") from error

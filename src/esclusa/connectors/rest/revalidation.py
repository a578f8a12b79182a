"""Answers remembered for a while, so that a back end can say that nothing has changed (RFC 9110, 13; RFC 9111, 4.3).

Where a back end marks an answer (`ETag`, `Last-Modified`), the next request for the same asks whether it has changed since;
`304` means the answer that is remembered. Every question is still a call: nothing is answered from memory alone.

What is remembered may be personal: it is in memory only, bounded in bytes, and gone when its time is over, asked or not.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection
from hashlib import blake2b

import msgspec

from esclusa.connectors.rest.settings import RevalidateSettings
from esclusa.connectors.transport import HttpError, Request, Response
from esclusa.kernel.clock import Clock

_OK, _NOT_MODIFIED = 200, 304
_KEPT = (b"etag", b"last-modified", b"content-type")
"""Headers of an answer that are remembered: its marks, and what tells how its body is read."""
_OVERHEAD = 512
"""Bytes that an answer takes beside its headers and its body."""


class _Remembered(msgspec.Struct, frozen=True):
    response: Response
    until: float
    """Seconds since the epoch."""

    @property
    def size(self) -> int:
        return len(self.response.body) + sum(len(value) for _, value in self.response.headers) + _OVERHEAD


class Revalidation:
    """The answers of one back end that are remembered."""

    def __init__(self, settings: RevalidateSettings, clock: Clock, of_the_call: Collection[bytes]) -> None:
        """`of_the_call`: names of headers (in lower case) that are others in each call and don't tell what is asked for."""
        self._of_the_call = of_the_call
        self._settings = settings
        self._clock = clock
        self._remembered: OrderedDict[bytes, _Remembered] = OrderedDict()
        """Those that have longest to live last, which are those that were heard of last."""
        self._timer: asyncio.TimerHandle | None = None
        self.bytes = 0
        """Of all that are remembered."""

    def condition(self, request: Request) -> tuple[Request, Condition]:
        """The same request, on the condition that there is something new; and what its answer is to be given to."""
        key = self._key(request)
        known = self._remembered.get(key)
        if known is not None:
            for name, mark in ((b"if-none-match", b"etag"), (b"if-modified-since", b"last-modified")):
                value = known.response.header(mark)
                if value is not None:
                    return request.adding(name, value), Condition(self, key, known.response)
        return request, Condition(self, key, None)

    def heard(self, key: bytes, response: Response) -> None:
        """Remember what was answered, where it is marked and may be; forget what was before."""
        self._forget(key)
        if not _may_be_kept(response):
            return
        headers = [(name, value) for name, value in response.headers if name in _KEPT]
        remembered = _Remembered(Response(response.status, headers, response.body), self._clock.now() + self._settings.keep)
        if remembered.size > self._settings.most:
            return
        self._remembered[key] = remembered
        self.bytes += remembered.size
        while self.bytes > self._settings.most:
            self._forget(next(iter(self._remembered)))
        self._wait()

    def close(self) -> None:
        """Forget everything."""
        self._remembered.clear()
        self.bytes = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _key(self, request: Request) -> bytes:
        """What is asked for, as a digest: the subject is not kept."""
        digest = blake2b(request.target, digest_size=16)
        for name, value in request.headers:
            if name.lower() not in self._of_the_call:
                digest.update(b"\n%b: %b" % (name, value))
        return digest.digest()

    def _forget(self, key: bytes) -> None:
        before = self._remembered.pop(key, None)
        if before is not None:
            self.bytes -= before.size

    def _wait(self) -> None:
        """One timer, for the first whose time is over."""
        if self._timer is None and self._remembered:
            self._timer = self._clock.call_at(next(iter(self._remembered.values())).until, self._expire)

    def _expire(self) -> None:
        self._timer = None
        now = self._clock.now()
        while self._remembered and next(iter(self._remembered.values())).until <= now:
            self._forget(next(iter(self._remembered)))
        self._wait()


class Condition:
    """One request under way."""

    __slots__ = ("_key", "_known", "_owner")

    def __init__(self, owner: Revalidation, key: bytes, known: Response | None) -> None:
        self._owner = owner
        self._key = key
        self._known = known

    def answer(self, ending: Response | HttpError) -> Response | HttpError:
        """What `ending` stands for: what is remembered, where nothing has changed."""
        if isinstance(ending, HttpError):
            return ending
        if ending.status == _NOT_MODIFIED and self._known is not None:
            self._owner.heard(self._key, self._known)
            return self._known
        self._owner.heard(self._key, ending)
        return ending


def _may_be_kept(response: Response) -> bool:
    marked = response.header(b"etag") or response.header(b"last-modified")
    forbidden = b"no-store" in _members(response, b"cache-control") or b"*" in _members(response, b"vary")
    return response.status == _OK and bool(marked) and not forbidden


def _members(response: Response, name: bytes) -> list[bytes]:
    """Those of a list, in however many fields of `name` it comes, in lower case."""
    fields = [value for field, value in response.headers if field == name]
    return [member.strip().lower() for value in fields for member in value.split(b",")]

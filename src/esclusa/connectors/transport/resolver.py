"""The addresses of one host: looked up in a thread of its own, so that a slow name server holds up nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from threading import Thread

from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import HttpError

Address = IPv4Address | IPv6Address
Lookup = Callable[[str], list[Address]]
"""A blocking look-up of a host's addresses, in order of preference; `OSError` when there are none."""

_FRESH = 5.0
"""Seconds for which a look-up's result is used."""


def system_lookup(host: str) -> list[Address]:
    """What the system's resolver says (`getaddrinfo`)."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [ip_address(str(sockaddr[0])) for _, _, _, _, sockaddr in found]


class Resolver:
    """Looks one host up, at most once at a time, and remembers the result for a few seconds."""

    def __init__(self, host: str, clock: Clock, lookup: Lookup = system_lookup) -> None:
        self._host = host
        self._clock = clock
        self._lookup = lookup
        self._loop = asyncio.get_running_loop()
        self._asking: asyncio.Future[list[Address]] | None = None
        self._known: list[Address] = []
        self._fresh_until = 0.0
        with contextlib.suppress(ValueError):
            self._known = [ip_address(host)]
            self._fresh_until = float("inf")

    async def addresses(self) -> list[Address]:
        """The host's addresses, at least one; `HttpError` of kind `resolve` when there are none. Cancelling it leaves the look-up to others."""
        if self._clock.now() < self._fresh_until:
            return self._known
        if self._asking is None:
            asking = self._loop.create_future()
            Thread(target=self._ask, args=(asking,), name=f"resolve {self._host}", daemon=True).start()
            self._asking = asking
        found = await asyncio.shield(self._asking)
        if not found:
            raise HttpError("resolve", f"no address is known for {self._host}")
        return found

    def forget(self) -> None:
        """What was found has turned out to be of no use: look again next time."""
        if self._fresh_until != float("inf"):
            self._fresh_until = 0.0

    def _ask(self, asking: asyncio.Future[list[Address]]) -> None:
        """In the thread: a daemon, so that no process waits for a name server in order to end."""
        try:
            found = self._lookup(self._host)
        except Exception:  # noqa: BLE001 - OSError, UnicodeError or whatever else: who waits must not wait for ever
            found = []
        with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile: nobody is waiting
            self._loop.call_soon_threadsafe(self._found, asking, found)

    def _found(self, asking: asyncio.Future[list[Address]], found: list[Address]) -> None:
        self._asking = None
        if found:
            self._known = found
            self._fresh_until = self._clock.now() + _FRESH
        asking.set_result(found)

"""Makes connections to one origin: look up, check the addresses, try them in turn, set TLS up."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections import deque
from collections.abc import Callable
from ipaddress import IPv6Address
from itertools import chain, zip_longest
from typing import TypeVar

from esclusa.connectors.transport.carrier import Carrier
from esclusa.connectors.transport.origin import Origin
from esclusa.connectors.transport.resolver import Address, Resolver
from esclusa.connectors.transport.tls import in_our_words
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import HttpError

Allow = Callable[[Address], bool]
"""Whether an address may be called. Asked when a connection is made, so that no name can lead where none may go."""

_HEAD_START = 0.25
"""Seconds after which the next address is tried beside the last one (RFC 8305, 5)."""
_MOST = 8
"""Addresses that are tried for one connection."""
_WORDS = {
    errno.ECONNREFUSED: "the connection was refused",
    errno.ECONNRESET: "the connection was reset",
    errno.EHOSTUNREACH: "the host can't be reached",
    errno.ENETUNREACH: "the network can't be reached",
    errno.ETIMEDOUT: "the host did not react",
}
C = TypeVar("C", bound=Carrier)


class Dialler:
    """Connects to an origin. It takes as long as it is let: who asks sets the limit, and cancels."""

    def __init__(
        self, origin: Origin, clock: Clock, resolver: Resolver, *, tls: ssl.SSLContext | None, name: str, allow: Allow | None
    ) -> None:
        """`tls`: None means without; `name`: what the certificate has to be for."""
        self._port = origin.port
        self._clock = clock
        self._resolver = resolver
        self._tls = tls
        self._name = None if tls is None else name
        self._allow = allow
        self._loop = asyncio.get_running_loop()

    async def dial(self, make: Callable[[], C]) -> C:
        """A connection, whose protocol is by `make`, that is ready for a request. `HttpError` of kind `resolve`, `connect` or `tls`.

        Cancelled, it leaves nothing open.
        """
        addresses = await self._resolver.addresses()
        if self._allow is not None:
            addresses = [address for address in addresses if self._allow(_unmapped(address))]
            if not addresses:
                raise HttpError("connect", "its address is not one that may be called")
        try:
            sock = await self._reach(_in_turn(addresses)[:_MOST])
        except OSError as error:
            self._resolver.forget()
            number = error.errno or errno.EIO
            raise HttpError("connect", _WORDS.get(number) or os.strerror(number).lower()) from None
        connection = make()
        try:
            await self._loop.create_connection(lambda: connection, sock=sock, ssl=self._tls, server_hostname=self._name)
        except OSError as error:  # as ssl's errors are, too
            raise HttpError("tls", in_our_words(error)) from None
        except asyncio.CancelledError:
            connection.close()  # it may have been made in the same moment
            raise
        return connection

    async def _reach(self, addresses: list[Address]) -> socket.socket:
        """The first of `addresses` that takes a connection; each has a head start on the next ("happy eyeballs")."""
        if len(addresses) == 1:
            return await self._connected(addresses[0])
        untried = deque(addresses)
        attempts: set[asyncio.Task[socket.socket]] = set()
        failure: BaseException = OSError()
        try:
            while untried or attempts:
                if untried:
                    attempts.add(self._loop.create_task(self._connected(untried.popleft())))
                await self._news(attempts, patient=not untried)
                for attempt in [attempt for attempt in attempts if attempt.done()]:
                    attempts.discard(attempt)
                    error = attempt.exception()
                    if error is None:
                        return attempt.result()
                    failure = error
            raise failure
        finally:
            for attempt in attempts:
                if not attempt.cancel() and attempt.exception() is None:
                    attempt.result().close()

    async def _news(self, attempts: set[asyncio.Task[socket.socket]], *, patient: bool) -> None:
        """Until one of `attempts` is over or, unless `patient`, the head start is."""
        if patient:
            await asyncio.wait(attempts, return_when=asyncio.FIRST_COMPLETED)
            return
        pause = self._loop.create_task(self._clock.sleep(_HEAD_START))
        try:
            await asyncio.wait({*attempts, pause}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            pause.cancel()

    async def _connected(self, address: Address) -> socket.socket:
        family = socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(0)
            await self._loop.sock_connect(sock, (str(address), self._port))
        except BaseException:
            sock.close()
            raise
        return sock


def _unmapped(address: Address) -> Address:
    """What is really called: `::ffff:127.0.0.1` is 127.0.0.1."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _in_turn(addresses: list[Address]) -> list[Address]:
    """Each once, the two families in turn, the first one's first (RFC 8305, 4)."""
    distinct = list(dict.fromkeys(addresses))
    first = [address for address in distinct if address.version == distinct[0].version]
    second = [address for address in distinct if address.version != distinct[0].version]
    return [address for address in chain.from_iterable(zip_longest(first, second)) if address is not None]

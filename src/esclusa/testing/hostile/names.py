"""Names that don't resolve, or do so slowly, or lead to a dead address first."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any
from unittest import mock

DEAD = "100::1"
"""An address at which nobody is (RFC 6666)."""
SLOW = 30.0
"""The longest that a slow look-up takes, in seconds; it ends with the test."""


@contextmanager
def resolving(host: str, misbehaviour: str) -> Iterator[Event]:
    """Meanwhile `socket.getaddrinfo` does so for `host`, in this process; all other names resolve as ever.

    `misbehaviour`: `unresolvable`, `slow_name` or `dead_ipv6`. Once the event is set, `host` is this machine.
    """
    ordinary = socket.getaddrinfo
    healed = Event()

    def look_up(name: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if name not in (host, host.encode()):
            return ordinary(name, port, *rest, **more)
        if misbehaviour == "unresolvable" and not healed.is_set():
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if misbehaviour == "slow_name":
            healed.wait(SLOW)
        here = ordinary("127.0.0.1", port, *rest, **more)
        if misbehaviour == "dead_ipv6" and not healed.is_set():
            return [(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (DEAD, int(port or 0), 0, 0)), *here]
        return here

    with mock.patch("socket.getaddrinfo", look_up):
        try:
            yield healed
        finally:
            healed.set()

from __future__ import annotations

import socket

import pytest

from esclusa.testing.hostile.names import DEAD, resolving


def test_a_name_does_not_resolve_and_others_do() -> None:
    with resolving("hostile.test", "unresolvable"):
        with pytest.raises(socket.gaierror):
            socket.getaddrinfo("hostile.test", 80)
        assert socket.getaddrinfo("127.0.0.1", 80)


def test_a_dead_address_comes_first() -> None:
    with resolving("hostile.test", "dead_ipv6"):
        found = socket.getaddrinfo("hostile.test", 80, type=socket.SOCK_STREAM)
    assert [one[4][0] for one in found] == [DEAD, "127.0.0.1"]

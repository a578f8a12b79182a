from __future__ import annotations

import socket
import threading

import pytest

from esclusa.testing.hostile.names import DEAD, resolving

HERE = "127.0.0.1"


def addresses(name: str) -> list[object]:
    return [one[4][0] for one in socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)]


def test_a_name_does_not_resolve_and_others_do() -> None:
    with resolving("hostile.test", "unresolvable") as healed:
        with pytest.raises(socket.gaierror):
            addresses("hostile.test")
        assert addresses(HERE) == [HERE]
        healed.set()
        assert addresses("hostile.test") == [HERE]


def test_a_dead_address_comes_first() -> None:
    with resolving("hostile.test", "dead_ipv6") as healed:
        assert addresses("hostile.test") == [DEAD, HERE]
        healed.set()
        assert addresses("hostile.test") == [HERE]


def test_a_slow_name_resolves_once_it_is_healed() -> None:
    found: list[object] = []
    with resolving("hostile.test", "slow_name") as healed:
        asking = threading.Thread(target=lambda: found.extend(addresses("hostile.test")))
        asking.start()
        assert addresses(HERE) == [HERE]
        assert not found
        healed.set()
        asking.join(20)
    assert found == [HERE]

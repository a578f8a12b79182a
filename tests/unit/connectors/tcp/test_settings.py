"""What a TCP connector's settings say of where it is."""

from __future__ import annotations

from esclusa.connectors.tcp import TcpSettings


def test_host_and_port_are_its_address() -> None:
    assert TcpSettings(host="h", port=7, request="").address == "h:7"

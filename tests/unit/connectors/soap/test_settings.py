"""What a SOAP connector's settings say of where it is."""

from __future__ import annotations

from esclusa.connectors.soap import SoapSettings


def test_its_url_is_its_address_or_else_its_port_of_its_wsdl() -> None:
    assert SoapSettings(wsdl="/a.wsdl", operation="o", url="http://h/").address == "http://h/"
    assert SoapSettings(wsdl="/a.wsdl", operation="o", service="S", port="P").address == "/a.wsdl#S.P"

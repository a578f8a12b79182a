"""What a WSDL's policy asks for."""

from __future__ import annotations

from esclusa.connectors.soap.policy import Policy, policy_of
from support.descriptions import HERE

SECURITY = "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702"


def test_a_policy_of_all_that_can_be_shown() -> None:
    found = policy_of([(HERE / "catastro.wsdl").read_bytes()])
    assert found == Policy(username=True, digest=True, timestamp=True, signed=True)
    assert found.stated


def test_what_no_connector_can_show_is_named() -> None:
    found = policy_of([f'<a xmlns:p="{SECURITY}"><p:SamlToken/><p:IssuedToken/></a>'.encode()])
    assert found == Policy(beyond=("IssuedToken", "SamlToken"))


def test_names_of_others_and_what_is_no_xml_state_nothing() -> None:
    documents = [
        b'<UsernameToken xmlns="urn:x"><SignedParts/></UsernameToken>',
        b"<a",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    ]
    assert not policy_of(documents).stated

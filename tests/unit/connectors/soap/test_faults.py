"""What a SOAP fault says, and what of it is shown."""

from __future__ import annotations

import pytest

from esclusa.connectors.backend import Outcome, Reason
from esclusa.connectors.soap.faults import Fault, body_of, fault_of
from esclusa.connectors.soap.xml import parsed
from unit.connectors.soap.service import envelope, fault


def read(document: bytes) -> Fault | None:
    body = body_of(parsed(document))
    assert body is not None
    return fault_of(body)


@pytest.mark.parametrize(
    ("code", "codes"),
    [
        ("e:Server", ("Server",)),
        (" e:Client.Authentication\n", ("Client.Authentication",)),
        ("app:E-17", ("E-17",)),
        ("Nobody by the name of 12345678Z", ()),
        ("x" * 65, ()),
        ("e:<![CDATA[<b>]]>", ()),
        ("", ()),
    ],
)
def test_the_code_of_a_fault_is_shown_if_it_is_a_plain_name(code: str, codes: tuple[str, ...]) -> None:
    assert read(fault(code)) == Fault(codes, ())


def test_a_fault_of_1_2_has_codes_within_codes() -> None:
    said = envelope(
        "<e:Fault><e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>m:Unknown</e:Value></e:Subcode></e:Code>"
        '<e:Reason><e:Text xml:lang="en">secret words</e:Text></e:Reason><e:Detail><NoPerson/></e:Detail></e:Fault>',
        "1.2",
    )
    assert read(said) == Fault(("Sender", "Unknown"), ("NoPerson",))


def test_its_meaning_is_by_its_code() -> None:
    sick = Fault(("Server",), ()).outcome([], idempotent=True)
    assert sick == Outcome(
        reason=Reason.BACKEND_ERROR, detail="It answered with the fault Server", again=True, failure=True, cause="fault"
    )
    ours = Fault(("Sender", "Unknown"), ()).outcome([], idempotent=True)
    assert ours == Outcome(reason=Reason.BACKEND_ERROR, detail="It answered with the fault Sender Unknown", cause="fault")
    assert Fault((), ()).outcome([], idempotent=False).detail == "It answered with a fault"


@pytest.mark.parametrize("empty", ["Server", "NoPerson"])
def test_some_say_that_there_is_nothing(empty: str) -> None:
    found = read(fault("e:Server", '<detail><x:NoPerson xmlns:x="urn:x"/></detail>'))
    assert found is not None
    assert found.outcome([empty], idempotent=False) == Outcome()


def test_an_answer_without_fault_or_envelope_has_none() -> None:
    assert read(envelope("<a/>")) is None
    assert body_of(parsed(b"<Envelope/>")) is None

"""What a SOAP answer means, whatever came."""

from __future__ import annotations

import json
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esclusa.connectors.backend import Outcome, Reason
from esclusa.connectors.soap import SoapSettings
from esclusa.connectors.soap.description import Description
from esclusa.connectors.soap.outcome import Outcomes
from esclusa.connectors.transform import compiled
from esclusa.connectors.transport import HttpError, Response
from unit.connectors.soap.service import PERSON, StoppedClock, envelope, fault, written
from unit.connectors.soap.test_xml import BOMB

NOT_SOAP = "What it answered is not SOAP"


@pytest.fixture(scope="module")
def wsdl(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tmp_path_factory.mktemp("wsdl"))


def outcomes(wsdl: str, **more: Any) -> Outcomes:
    said = SoapSettings(wsdl=wsdl, operation="Person", **more)
    transform = compiled(said.transform) if said.transform else None
    return Outcomes(said, Description("census", said, perf_counter, None), transform, 1000, StoppedClock())


def read(outcomes: Outcomes, ending: Response | HttpError) -> Outcome:
    said = outcomes.said(ending)
    return said if isinstance(said, Outcome) else outcomes.shaped(said)


def response(body: bytes, status: int = 200) -> Response:
    return Response(status, [(b"content-type", b"text/xml; charset=utf-8")], body)


def test_an_answer_is_data_with_every_kind_of_value(wsdl: str) -> None:
    said = read(outcomes(wsdl), response(envelope(PERSON)))
    assert said.reason is None
    assert json.loads(said.data or b"") == {
        "name": "Ana & Eva",
        "born": "1980-02-29",
        "seen": "2026-01-02T03:04:05+00:00",
        "owes": "10.50",
        "photo": "AAEC",
        "place": [{"town": "Soria"}, {"town": "Lugo"}],
        "_value_1": [{"note": {"@kind": "a", "line": ["1", "2"]}}],
    }


def test_a_transform_is_applied_and_nothing_is_empty(wsdl: str) -> None:
    assert read(outcomes(wsdl, transform="place[].town"), response(envelope(PERSON))) == Outcome(data=b'["Soria","Lugo"]')
    assert read(outcomes(wsdl, transform="nothing"), response(envelope(PERSON))) == Outcome()
    assert read(outcomes(wsdl), response(envelope('<PersonResponse xmlns="urn:census"/>'))) == Outcome()
    failed = read(outcomes(wsdl, transform="sum(name)"), response(envelope(PERSON)))
    assert failed.detail == "What it answered can't be transformed"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", NOT_SOAP),
        (b'{"a": 1}', NOT_SOAP),
        (b"<html><body>It works</body></html>", NOT_SOAP),
        (b"<Envelope><Body/></Envelope>", NOT_SOAP),
        (envelope(PERSON)[:-30], NOT_SOAP),
        (BOMB.encode() + envelope("&l9;"), NOT_SOAP),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + envelope("<a>&b;</a>"), NOT_SOAP),
        (b"--uuid\r\ncontent-type: application/xop+xml\r\n\r\n" + envelope(PERSON), NOT_SOAP),
        (envelope(PERSON, "1.2"), "What it answered is another version of SOAP"),
        (envelope(""), "What it answered is not what its WSDL says"),
        (envelope("<other/>"), "What it answered is not what its WSDL says"),
        (envelope(PERSON.replace("10.50", "much")), "What it answered is not what its WSDL says"),
        (
            envelope(
                PERSON + "".join(f'<m id="{n}">{f"""<p href="#{n + 1}"/>""" * 10}</m>' for n in range(9)) + '<x href="#0"/>'
            ),
            "What it answered is not what its WSDL says",
        ),
    ],
)
def test_what_is_no_answer_by_its_own_protocol_counts_against_its_health(wsdl: str, body: bytes, detail: str) -> None:
    said = read(outcomes(wsdl, idempotent=True), response(body))
    assert said == Outcome(reason=Reason.BACKEND_ERROR, detail=detail, again=True, failure=True, cause="answer")


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_fault_is_a_fault_with_any_status(wsdl: str, status: int) -> None:
    said = read(outcomes(wsdl), response(fault("e:Server"), status))
    assert said == Outcome(reason=Reason.BACKEND_ERROR, detail="It answered with the fault Server", failure=True, cause="fault")
    said = read(outcomes(wsdl), response(fault("e:Client"), status))
    assert said == Outcome(reason=Reason.BACKEND_ERROR, detail="It answered with the fault Client", cause="fault")
    assert read(outcomes(wsdl, empty=["NoPerson"]), response(fault("app:NoPerson"), status)) == Outcome()


def test_another_status_is_told(wsdl: str) -> None:
    assert read(outcomes(wsdl), response(b"<html/>", 503)).detail == "It answered with status 503"
    assert read(outcomes(wsdl), response(envelope(PERSON), 500)).detail == "It answered with status 500"
    assert read(outcomes(wsdl), HttpError("timeout", "late")).reason is Reason.BACKEND_TIMEOUT


def test_an_answer_that_is_too_large_is_none(wsdl: str) -> None:
    said = read(outcomes(wsdl), response(envelope(PERSON.replace("Soria", "x" * 2000))))
    assert (said.detail, said.failure) == ("The answer is too large", False)


@given(cut=st.integers(0, len(PERSON) + 200), put=st.binary(max_size=8))
def test_nothing_that_comes_makes_it_raise(wsdl: str, cut: int, put: bytes) -> None:
    whole = envelope(PERSON)
    said = read(_ONE.get(wsdl) or _ONE.setdefault(wsdl, outcomes(wsdl)), response(whole[:cut] + put + whole[cut + len(put) :]))
    assert said.reason in (None, Reason.BACKEND_ERROR)


_ONE: dict[str, Outcomes] = {}


def test_where_no_answer_is_due_a_fault_is_one_all_the_same(tmp_path: Path) -> None:
    file = Path(written(tmp_path))
    text = file.read_text(encoding="utf-8")
    for output in ('<wsdl:output message="tns:PersonOut"/>', '<wsdl:output><soap:body use="literal"/></wsdl:output>'):
        assert output in text
        text = text.replace(output, "")
    file.write_text(text.replace('<wsdl:output><soap12:body use="literal"/></wsdl:output>', ""), encoding="utf-8")
    one = outcomes(str(file))
    assert read(one, response(b"", 202)) == Outcome()
    assert read(one, response(envelope(PERSON))) == Outcome()
    assert read(one, response(b"<html>thanks</html>")) == Outcome()
    assert read(one, response(fault("e:Server"))).reason is Reason.BACKEND_ERROR

"""A question as a SOAP request: every value stays a value."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from esclusa.connectors.backend import Question
from esclusa.connectors.settings import BearerCredentials
from esclusa.connectors.soap import SoapSettings
from esclusa.connectors.soap.description import Description
from esclusa.connectors.soap.envelope import Envelopes
from esclusa.connectors.soap.security import WSSE, Security
from esclusa.connectors.soap.settings import SecuritySettings
from esclusa.kernel.errors import InvalidRequest, UnusableSettings
from esclusa.kernel.ids import Ids
from unit.connectors.soap.service import ENVELOPE, QUESTION, StoppedClock, written

ARGUMENTS = {"id": "{subject}", "since": "{params.since}", "place": {"town": "in {params.town}!"}}


def envelopes(wsdl: str, **more: Any) -> Envelopes:
    said = SoapSettings(wsdl=wsdl, **{"operation": "Person", "arguments": ARGUMENTS, **more})
    described = Description("census", said, perf_counter, None)
    security = Security(said.security, "census", Ids(StoppedClock())) if said.security else None
    clock = StoppedClock()
    return Envelopes("census", said, BearerCredentials(token="t"), described, security, clock, Ids(clock, seed=1))


@pytest.fixture
def wsdl(tmp_path: Path) -> str:
    return written(tmp_path)


def asked(**params: str) -> Question:
    return Question(QUESTION.request, QUESTION.query, QUESTION.subject, params)


def test_a_question_is_an_envelope_by_the_schema(wsdl: str) -> None:
    request = envelopes(wsdl).make(asked(since="2020-01-31", town="Soria"))
    assert (request.method, request.target) == ("POST", b"/census")
    body = etree.fromstring(request.body).find(f"{{{ENVELOPE['1.1']}}}Body")
    assert {each.tag: each.text for each in body.iter() if each.text} == {
        "{urn:census}id": "12345678Z",
        "{urn:census}since": "2020-01-31",
        "{urn:types}town": "in Soria!",
    }
    headers = dict(request.headers)
    assert headers.pop(b"traceparent").startswith(b"00-" + QUESTION.request.replace("-", "").encode())
    assert headers == {
        b"Content-Type": b"text/xml; charset=utf-8",
        b"SOAPAction": b'"urn:census#Person"',
        b"Accept": b"text/xml",
        b"Authorization": b"Bearer t",
        b"X-Request-Id": QUESTION.request.encode(),
    }


def test_in_1_2_the_action_is_in_the_content_type(wsdl: str) -> None:
    request = envelopes(wsdl, port="Newer", headers={"X-Since": "{params.since}", "Accept": "*/*"}).make(
        asked(town="a", since="b")
    )
    assert etree.fromstring(request.body).tag == f"{{{ENVELOPE['1.2']}}}Envelope"
    headers = dict(request.headers)
    assert headers[b"Content-Type"] == b'application/soap+xml; charset=utf-8; action="urn:census#Person"'
    assert (headers[b"X-Since"], headers[b"Accept"]) == (b"b", b"*/*")
    assert b"SOAPAction" not in headers


def test_what_has_no_value_is_left_out_where_the_schema_lets_it(wsdl: str) -> None:
    made = envelopes(wsdl)
    assert b"since" not in made.make(asked(town="a")).body
    with pytest.raises(ValueError, match="a value is left out"):
        made.make(asked(since="2020-01-31"))  # a place has a town


def test_the_url_of_the_settings_counts_more(wsdl: str) -> None:
    assert envelopes(wsdl, url="http://h/{subject}").make(asked(town="a")).target == b"/12345678Z"


@pytest.mark.parametrize("arguments", [{}, {"nif": "{subject}"}, {"id": "1", "place": {"city": "x"}}])
def test_arguments_that_the_operation_does_not_take_are_named(wsdl: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(UnusableSettings, match="operation Person can't be called with them") as caught:
        envelopes(wsdl, arguments=arguments)
    assert caught.value.path == ("connectors", "census", "arguments")


def test_an_address_that_can_not_be_called_is_named(wsdl: str) -> None:
    Path(wsdl).write_text(Path(wsdl).read_text().replace("http://127", "jms://127"))
    with pytest.raises(UnusableSettings, match="not an absolute http or https URL") as caught:
        envelopes(wsdl)
    assert caught.value.path == ("connectors", "census", "wsdl")


def test_security_is_in_the_header(wsdl: str) -> None:
    request = envelopes(wsdl, security=SecuritySettings(username="u")).make(asked(town="a"))
    root = etree.fromstring(request.body)
    assert [child.tag.rpartition("}")[2] for child in root] == ["Header", "Body"]
    assert root.findtext(f".//{{{WSSE}}}Username") == "u"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(value=st.text() | st.text("<>&\"']{}\r\n\0x/!-[CDAT") | st.just("]]><id>2</id><![CDATA["))
def test_no_value_can_be_more_than_a_value(wsdl: str, value: str) -> None:
    made = _MADE.get(wsdl) or _MADE.setdefault(wsdl, envelopes(wsdl, headers={"X-Town": "{params.town}"}))
    try:
        request = made.make(Question(QUESTION.request, QUESTION.query, value, {"town": value}))
    except (ValueError, InvalidRequest):
        return
    root = etree.fromstring(request.body)
    assert [each.tag.rpartition("}")[2] for each in root.iter()] == ["Envelope", "Body", "Person", "id", "place", "town"]
    assert root.findtext(".//{urn:census}id", "") == value
    assert root.findtext(".//{urn:types}town") == f"in {value}!"
    assert request.wire(b"h").split(b"\r\n\r\n", 1)[0].count(b"\r\nX-Town: ") == 1


_MADE: dict[str, Envelopes] = {}

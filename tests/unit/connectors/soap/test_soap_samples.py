"""WSDLs of the kinds that bodies have: what is sent by them, what is read by them, and what is drawn of them."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import msgspec
import pytest
from lxml import etree

from esclusa.config.config import load
from esclusa.connectors.soap import SoapSettings
from esclusa.connectors.soap.description import Description
from esclusa.connectors.soap.envelope import Envelopes
from esclusa.connectors.soap.outcome import Outcomes
from esclusa.connectors.soap.sketch import Wsdl, sketched
from esclusa.connectors.transport import Response
from esclusa.kernel.errors import UnusableSettings
from esclusa.kernel.ids import Ids
from unit.connectors.soap.service import QUESTION, StoppedClock, envelope

SERVICE = """<definitions targetNamespace="urn:s" xmlns:tns="urn:s" xmlns="http://schemas.xmlsoap.org/wsdl/"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <types><xsd:schema targetNamespace="urn:s" elementFormDefault="qualified">%(types)s</xsd:schema></types>
  <message name="In">%(asks)s</message><message name="Out">%(says)s</message>
  <portType name="P"><operation name="Ask"><input message="tns:In"/>%(output)s</operation></portType>
  <binding name="B" type="tns:P"><soap:binding style="%(style)s" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="Ask"><soap:operation soapAction="ask"/><input><soap:body use="literal"%(namespace)s/></input>%(bound)s
    </operation></binding>
  <service name="S"><port name="P" binding="tns:B"><soap:address location="http://127.0.0.1:9/"/></port></service>
</definitions>"""


class Sample(NamedTuple):
    """A service of one operation, what it is asked, and what it says."""

    types: str
    asks: str
    says: str
    arguments: dict[str, Any]
    sent: str
    """What stands in the body, without white space."""
    answer: str
    data: Any
    style: str = "document"
    one_way: bool = False


def element(name: str, inside: str) -> str:
    return f'<xsd:element name="{name}"><xsd:complexType>{inside}</xsd:complexType></xsd:element>'


def sequence(*members: str) -> str:
    return f"<xsd:sequence>{''.join(f'<xsd:element {member}/>' for member in members)}</xsd:sequence>"


PART = '<part name="parameters" element="tns:%s"/>'
ID = 'name="id" type="xsd:string"'
ASK = element("Ask", sequence(ID))
SENT = '<Ask xmlns="urn:s"><id>12345678Z</id></Ask>'
SUBJECT = {"id": "{subject}"}


def answers(inside: str, said: str, data: Any, more: str = "") -> Sample:
    """A wrapped document whose answer has `inside`."""
    types = more + ASK + element("AskResponse", inside)
    return Sample(
        types, PART % "Ask", PART % "AskResponse", SUBJECT, SENT, f'<AskResponse xmlns="urn:s">{said}</AskResponse>', data
    )


def asks(inside: str, arguments: dict[str, Any], sent: str, more: str = "") -> Sample:
    """A wrapped document that is asked with `inside`."""
    types = more + element("Ask", inside) + element("AskResponse", sequence('name="ok" type="xsd:boolean"'))
    said = '<AskResponse xmlns="urn:s"><ok>true</ok></AskResponse>'
    return Sample(types, PART % "Ask", PART % "AskResponse", arguments, f'<Ask xmlns="urn:s">{sent}</Ask>', said, data=True)


ROW = '<xsd:complexType name="Row">' + sequence('name="n" type="xsd:int"') + "</xsd:complexType>"
COLOUR = (
    '<xsd:simpleType name="Colour"><xsd:restriction base="xsd:string"><xsd:enumeration value="red"/>'
    '<xsd:enumeration value="blue"/></xsd:restriction></xsd:simpleType>'
)
SAMPLES = {
    "document, wrapped": answers(
        sequence('name="a" type="xsd:int"', 'name="b" type="xsd:boolean"'), "<a>1</a><b>false</b>", {"a": 1, "b": False}
    ),
    "document, bare": Sample(
        ROW + '<xsd:element name="Who" type="tns:Row"/><xsd:element name="Found" type="xsd:decimal"/>',
        PART % "Who",
        PART % "Found",
        {"n": "{params.n}"},
        '<Who xmlns="urn:s"><n>7</n></Who>',
        '<Found xmlns="urn:s">10.50</Found>',
        "10.50",
    ),
    "RPC": Sample(
        ROW,
        '<part name="id" type="xsd:string"/><part name="row" type="tns:Row"/>',
        '<part name="row" type="tns:Row"/><part name="note" type="xsd:string"/>',
        {"id": "{subject}", "row": {"n": 3}},
        '<s:Ask xmlns:s="urn:s"><id>12345678Z</id><row><s:n>3</s:n></row></s:Ask>',
        '<s:AskResponse xmlns:s="urn:s"><row><s:n>4</s:n></row><note>x</note></s:AskResponse>',
        {"row": {"n": 4}, "note": "x"},
        style="rpc",
    ),
    "one of several": answers(
        '<xsd:choice><xsd:element name="a" type="xsd:int"/><xsd:element name="b" type="xsd:int"/></xsd:choice>',
        "<b>2</b>",
        {"a": None, "b": 2},
    ),
    "a list of tables": answers(
        sequence('name="row" type="tns:Row" minOccurs="0" maxOccurs="unbounded"'),
        "<row><n>1</n></row><row><n>2</n></row>",
        [{"n": 1}, {"n": 2}],
        ROW,
    ),
    "an empty list": answers(sequence('name="row" type="tns:Row" minOccurs="0" maxOccurs="unbounded"'), "", [], ROW),
    "nil": answers(
        sequence('name="a" type="xsd:int" nillable="true"', 'name="b" type="xsd:int"'),
        '<a xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/><b>1</b>',
        {"a": None, "b": 1},
    ),
    "attributes": answers(
        sequence('name="a" type="xsd:int"') + '<xsd:attribute name="kind" type="xsd:string"/>',
        "<a>1</a>",
        {"a": 1, "kind": None},
    ),
    "an enumeration": answers(
        sequence('name="colour" type="tns:Colour"', 'name="b" type="xsd:int"'),
        "<colour>red</colour><b>1</b>",
        {"colour": "red", "b": 1},
        COLOUR,
    ),
    "no number": answers(
        sequence('name="a" type="xsd:double"', 'name="b" type="xsd:float"'), "<a>INF</a><b>1.5</b>", {"a": "INF", "b": 1.5}
    ),
    "dates": answers(
        sequence('name="a" type="xsd:date"', 'name="b" type="xsd:dateTime"', 'name="c" type="xsd:duration"'),
        "<a>2026-01-31</a><b>2026-01-31T10:00:00Z</b><c>P1D</c>",
        {"a": "2026-01-31", "b": "2026-01-31T10:00:00+00:00", "c": "P1D"},
    ),
    "asked with a list": asks(
        sequence('name="kind" type="xsd:string" maxOccurs="unbounded"'),
        {"kind": ["a", "{subject}"]},
        "<kind>a</kind><kind>12345678Z</kind>",
    ),
    "asked with tables": asks(
        sequence('name="row" type="tns:Row" minOccurs="0"', ID),
        {"row": {"n": 1}, "id": "{subject}"},
        "<row><n>1</n></row><id>12345678Z</id>",
        ROW,
    ),
    "asked with what may be left out": asks(
        sequence(ID, 'name="since" type="xsd:date" minOccurs="0"'),
        {"id": "{subject}", "since": "{params.since}"},
        "<id>12345678Z</id>",
    ),
    "one way": Sample(ASK, PART % "Ask", "", SUBJECT, SENT, "", None, one_way=True),
    "nothing in the answer": Sample(ASK, PART % "Ask", "", SUBJECT, SENT, "", None),
}


def written(sample: Sample, folder: Path) -> str:
    """The path of its WSDL."""
    namespace = ' namespace="urn:s"' if sample.style == "rpc" else ""
    text = SERVICE % {
        "types": sample.types,
        "asks": sample.asks,
        "says": sample.says,
        "style": sample.style,
        "namespace": namespace,
        "output": "" if sample.one_way else '<output message="tns:Out"/>',
        "bound": "" if sample.one_way else f'<output><soap:body use="literal"{namespace}/></output>',
    }
    path = folder / "s.wsdl"
    path.write_text(text, encoding="utf-8")
    return str(path)


Tree = tuple[str, str, list[Any]]


def plain(document: etree._Element) -> Tree:
    """Its name, its text, and what is in it."""
    return document.tag, (document.text or "").strip(), [plain(each) for each in document]


@pytest.mark.parametrize("name", SAMPLES)
def test_it_is_asked_and_read_as_it_says(name: str, tmp_path: Path) -> None:
    sample, clock = SAMPLES[name], StoppedClock()
    settings = SoapSettings(wsdl=written(sample, tmp_path), operation="Ask", arguments=sample.arguments)
    described = Description("s", settings, perf_counter, None)
    request = Envelopes("s", settings, None, described, None, clock, Ids(clock)).make(
        msgspec.structs.replace(QUESTION, params={"n": "7"})
    )
    body = etree.fromstring(request.body).find("{*}Body")
    assert [plain(each) for each in body] == [plain(etree.fromstring(sample.sent))]
    outcomes = Outcomes(settings, described, None, 10_000, clock)
    said = outcomes.said(Response(200, [(b"content-type", b"text/xml")], b"" if sample.one_way else envelope(sample.answer)))
    data = msgspec.json.decode(said) if isinstance(said, bytes) else said
    assert (data.data if not isinstance(said, bytes) else data) == sample.data
    assert isinstance(said, bytes) or said.reason is None


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_drawn_of_it_can_be_loaded_and_made(name: str, tmp_path: Path) -> None:
    sample, clock = SAMPLES[name], StoppedClock()
    wsdl = Wsdl(written(sample, tmp_path), perf_counter, None)
    (tmp_path / "esclusa.toml").write_text(sketched(wsdl, wsdl.chosen("Ask"), "s", "s.wsdl"), encoding="utf-8")
    settings = load(tmp_path / "esclusa.toml", {}).connectors["s"]
    assert isinstance(settings, SoapSettings)
    described = Description("s", settings, perf_counter, None)
    Envelopes("s", settings, None, described, None, clock, Ids(clock))


def test_a_message_that_is_a_bare_value_can_not_be_asked_and_it_says_so(tmp_path: Path) -> None:
    types = '<xsd:element name="Who" type="xsd:string"/><xsd:element name="Found" type="xsd:string"/>'
    sample = Sample(types, PART % "Who", PART % "Found", SUBJECT, "", "", None)
    settings, clock = SoapSettings(wsdl=written(sample, tmp_path), operation="Ask", arguments=SUBJECT), StoppedClock()
    with pytest.raises(UnusableSettings, match="operation Ask can't be called with them"):
        Envelopes("s", settings, None, Description("s", settings, perf_counter, None), None, clock, Ids(clock))

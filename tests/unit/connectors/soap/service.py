"""A service that tests make up: its WSDL, the schemas that it imports, and what it says."""

from __future__ import annotations

from pathlib import Path

from esclusa.connectors.backend import Question
from esclusa.kernel.clock import Clock
from esclusa.testing.virtual import EPOCH

ENVELOPE = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
QUESTION = Question("01890a5d-ac96-774b-bcce-b302099a8057", "census", "12345678Z", {"since": "2020-01-31"})

WSDL = """<?xml version="1.0" encoding="UTF-8"?>
<wsdl:definitions targetNamespace="urn:census" xmlns:tns="urn:census" xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/"
    xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <wsdl:types><xsd:schema><xsd:import namespace="urn:census" schemaLocation="schemas/census.xsd"/></xsd:schema></wsdl:types>
  <wsdl:message name="PersonIn"><wsdl:part name="parameters" element="tns:Person"/></wsdl:message>
  <wsdl:message name="PersonOut"><wsdl:part name="parameters" element="tns:PersonResponse"/></wsdl:message>
  <wsdl:portType name="Census">
    <wsdl:operation name="Person">
      <wsdl:input message="tns:PersonIn"/><wsdl:output message="tns:PersonOut"/>
    </wsdl:operation>
  </wsdl:portType>
  <wsdl:binding name="Older" type="tns:Census">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <wsdl:operation name="Person">
      <soap:operation soapAction="urn:census#Person"/>
      <wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output>
    </wsdl:operation>
  </wsdl:binding>
  <wsdl:binding name="Newer" type="tns:Census">
    <soap12:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <wsdl:operation name="Person">
      <soap12:operation soapAction="urn:census#Person"/>
      <wsdl:input><soap12:body use="literal"/></wsdl:input><wsdl:output><soap12:body use="literal"/></wsdl:output>
    </wsdl:operation>
  </wsdl:binding>
  <wsdl:service name="CensusService">
    <wsdl:port name="Older" binding="tns:Older"><soap:address location="http://127.0.0.1:{port}/census"/></wsdl:port>
    <wsdl:port name="Newer" binding="tns:Newer"><soap12:address location="http://127.0.0.1:{port}/census"/></wsdl:port>
  </wsdl:service>
</wsdl:definitions>
"""
SCHEMA = """<?xml version="1.0" encoding="UTF-8"?>
<xsd:schema targetNamespace="urn:census" xmlns:tns="urn:census" xmlns:types="urn:types"
    xmlns:xsd="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified">
  <xsd:import namespace="urn:types" schemaLocation="types.xsd"/>
  <xsd:element name="Person"><xsd:complexType><xsd:sequence>
    <xsd:element name="id" type="xsd:string"/>
    <xsd:element name="since" type="xsd:date" minOccurs="0"/>
    <xsd:element name="place" type="types:Place" minOccurs="0"/>
  </xsd:sequence></xsd:complexType></xsd:element>
  <xsd:element name="PersonResponse"><xsd:complexType><xsd:sequence>
    <xsd:element name="person" type="types:Person" minOccurs="0"/>
  </xsd:sequence></xsd:complexType></xsd:element>
</xsd:schema>
"""
TYPES = """<?xml version="1.0" encoding="UTF-8"?>
<xsd:schema targetNamespace="urn:types" xmlns:tns="urn:types" xmlns:xsd="http://www.w3.org/2001/XMLSchema"
    elementFormDefault="qualified">
  <xsd:complexType name="Place"><xsd:sequence><xsd:element name="town" type="xsd:string"/></xsd:sequence></xsd:complexType>
  <xsd:complexType name="Person"><xsd:sequence>
    <xsd:element name="name" type="xsd:string"/>
    <xsd:element name="born" type="xsd:date" minOccurs="0"/>
    <xsd:element name="seen" type="xsd:dateTime" minOccurs="0"/>
    <xsd:element name="owes" type="xsd:decimal" minOccurs="0"/>
    <xsd:element name="photo" type="xsd:base64Binary" minOccurs="0"/>
    <xsd:element name="place" type="tns:Place" minOccurs="0" maxOccurs="unbounded"/>
    <xsd:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
  </xsd:sequence></xsd:complexType>
</xsd:schema>
"""
PERSON = """<PersonResponse xmlns="urn:census" xmlns:t="urn:types"><person>
<t:name>Ana &amp; Eva</t:name><t:born>1980-02-29</t:born><t:seen>2026-01-02T03:04:05Z</t:seen><t:owes>10.50</t:owes>
<t:photo>AAEC</t:photo><t:place><t:town>Soria</t:town></t:place><t:place><t:town>Lugo</t:town></t:place>
<x:note xmlns:x="urn:else" kind="a"><x:line>1</x:line><x:line>2</x:line></x:note></person></PersonResponse>"""


def written(folder: Path, port: int = 1) -> str:
    """The path of the WSDL, in a folder with its schemas; the service is at that port of this machine."""
    (folder / "schemas").mkdir()
    (folder / "schemas" / "census.xsd").write_text(SCHEMA)
    (folder / "schemas" / "types.xsd").write_text(TYPES)
    path = folder / "census.wsdl"
    path.write_text(WSDL.format(port=port))
    return str(path)


def envelope(body: str, version: str = "1.1") -> bytes:
    """An envelope around `body`."""
    return f'<e:Envelope xmlns:e="{ENVELOPE[version]}"><e:Body>{body}</e:Body></e:Envelope>'.encode()


def fault(code: str, detail: str = "") -> bytes:
    """A fault of SOAP 1.1."""
    return envelope(f"<e:Fault><faultcode>{code}</faultcode><faultstring>secret words</faultstring>{detail}</e:Fault>")


class StoppedClock(Clock):
    """Always says the same; for what only reads a clock, without a running loop."""

    def __init__(self) -> None:  # without a loop
        """It stands at `EPOCH`."""

    def now(self) -> float:
        return EPOCH

    def millis(self) -> int:
        return int(EPOCH * 1000)

from __future__ import annotations

from pathlib import Path
from typing import Literal
from xml.etree import ElementTree as ET

import pytest
from zeep.transports import Transport
from zeep.wsdl import Document

from esclusa.demo.bodies import BODIES, Body
from esclusa.demo.http11 import Call
from esclusa.demo.soap import Service, wsdl
from unit.demo.test_desk import NIF, desk

OLDER = Service(version="1.1", namespace="urn:x", operation="Ask")
NEWER = Service(version="1.2", namespace="urn:x", operation="Ask", login=("me", "secret"))
E11 = "http://schemas.xmlsoap.org/soap/envelope/"
E12 = "http://www.w3.org/2003/05/soap-envelope"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"


def envelope(body: str, version: str = E11, header: str = "") -> bytes:
    return f'<e:Envelope xmlns:e="{version}"><e:Header>{header}</e:Header><e:Body>{body}</e:Body></e:Envelope>'.encode()


def token(password: str) -> str:
    inside = f"<w:Username>me</w:Username><w:Password>{password}</w:Password>"
    return f'<w:Security xmlns:w="{WSSE}"><w:UsernameToken>{inside}</w:UsernameToken></w:Security>'


ASK = f'<a:Ask xmlns:a="urn:x"><a:nif>{NIF}</a:nif></a:Ask>'


def test_a_question_is_what_is_in_its_element() -> None:
    assert OLDER.question(envelope(ASK)) == {"nif": NIF}
    assert OLDER.question(envelope(f"<!-- who? -->{ASK}")) == {"nif": NIF}
    assert NEWER.question(envelope(ASK, E12, token("secret"))) == {"nif": NIF}


@pytest.mark.parametrize(
    ("service", "body", "why"),
    [
        (OLDER, b"nif=1", "no es XML"),
        (OLDER, b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "no se admiten DTD"),
        (OLDER, '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'.encode("utf-16"), "no se admiten DTD"),
        (OLDER, b'<?xml version="1.0" encoding="nonsense"?><x/>', "no es XML"),
        (OLDER, envelope(ASK, E12), "se esperaba Ask"),
        (OLDER, envelope("<Other/>"), "se esperaba Ask"),
        (NEWER, envelope(ASK, E12), "credenciales"),
        (NEWER, envelope(ASK, E12, token("guess")), "credenciales"),
    ],
)
def test_what_is_none_or_comes_from_nobody_is_told(service: Service, body: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        service.question(body)


def test_an_answer_is_its_json_as_elements() -> None:
    reply = OLDER.answer({"total": 2, "one": [{"name": "a & b"}, {"name": "c"}]})
    assert (reply.status, reply.kind) == (200, "text/xml; charset=utf-8")
    found = ET.fromstring(reply.content).find(f"{{{E11}}}Body/{{urn:x}}AskRespuesta")  # noqa: S314 - our own
    assert found is not None
    assert [child.tag for child in found] == ["{urn:x}total", "{urn:x}one", "{urn:x}one"]
    assert found.findtext("{urn:x}one/{urn:x}name") == "a & b"


@pytest.mark.parametrize(
    ("service", "whose", "code"),
    [
        (OLDER, "caller", "e:Client"),
        (OLDER, "service", "e:Server"),
        (NEWER, "caller", "e:Sender"),
        (NEWER, "service", "e:Receiver"),
    ],
)
def test_a_fault_says_whose_it_is_and_which(service: Service, whose: Literal["caller", "service"], code: str) -> None:
    reply = service.fault(whose, "no <b>", "Nothing")
    assert reply.status == 500
    root = ET.fromstring(reply.content)  # noqa: S314 - our own
    texts = [element.text for element in root.iter() if element.text]
    assert texts == [code, "no <b>"]
    assert root.find(".//{urn:x}Nothing") is not None


@pytest.mark.virtual_time
async def test_a_desk_gives_its_wsdl_to_whoever_asks_and_faults_to_whoever_asks_wrong() -> None:
    catastro = next(body for body in BODIES if body.name == "catastro")
    one = desk(name="catastro", path=catastro.path, soap=catastro.soap)
    assert b' location="http://127.0.0.1:0/ovc/consulta"' in (await one.reply(Call("GET", catastro.path, {}, {}, b""))).content
    reply = await one.reply(Call("POST", catastro.path, {}, {}, envelope("<x/>")))
    assert b"<faultcode>e:Client</faultcode>" in reply.content
    silent = desk(name="catastro", path=catastro.path, soap=catastro.soap, answer=lambda *_: None)
    asked = envelope(f'<Consulta xmlns="urn:catastro:ovc"><nif>{NIF}</nif></Consulta>')
    assert b"<SinDatos" in (await silent.reply(Call("POST", catastro.path, {}, {}, asked))).content


@pytest.mark.parametrize("body", [body for body in BODIES if body.soap], ids=lambda body: body.name)
def test_the_wsdl_of_each_says_what_it_does(body: Body, tmp_path: Path) -> None:
    file = tmp_path / "body.wsdl"
    file.write_bytes(wsdl(body.name, "http://127.0.0.1:1/x").content)
    document = Document(str(file), Transport())
    ((binding),) = document.bindings.values()
    assert body.soap
    assert list(binding.all()) == [body.soap.operation]
    (service,) = document.services.values()
    (port,) = service.ports.values()
    assert port.binding_options["address"] == "http://127.0.0.1:1/x"

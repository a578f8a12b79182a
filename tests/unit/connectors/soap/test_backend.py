"""A SOAP connector, whole, against a back end on a real socket (H10)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event, get_ident

import msgspec
import pytest

from esclusa.connectors.assembly import make_backend
from esclusa.connectors.backend import TOO_LARGE, Backend, Outcome, Question, Reason
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.settings import CertificateCredentials, CredentialsSettings
from esclusa.connectors.soap import SoapSettings, backend
from esclusa.connectors.soap.outcome import Outcomes
from esclusa.connectors.transport import HttpError, Response
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import ConfigurationError
from esclusa.kernel.ids import Ids
from esclusa.testing.hostile import Peer, always, answer, hostile
from unit.connectors.soap.service import PERSON, QUESTION, SCHEMA, TYPES, WSDL, envelope, fault, written

SAID = answer(envelope(PERSON), b"200 OK", b"content-type: text/xml; charset=utf-8")


@asynccontextmanager
async def made(settings: SoapSettings, credentials: CredentialsSettings | None = None) -> AsyncIterator[Backend]:
    clock = Clock()
    backend = make_backend("census", settings, credentials, Workshop(clock, Ids(clock), 10_000, Contexts()))
    try:
        yield backend
    finally:
        await backend.close()


async def ask(backend: Backend, question: Question = QUESTION, *, seconds: float = 20.0) -> Outcome:
    ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    backend.ask(question, Clock().now() + seconds, ended.set_result)
    return await ended


def census(wsdl: str, *, idempotent: bool = False) -> SoapSettings:
    return SoapSettings(
        wsdl=wsdl, operation="Person", arguments={"id": "{subject}"}, transform="name", empty=["Nobody"], idempotent=idempotent
    )


async def test_a_question_goes_out_and_its_answer_comes_back_over_one_connection(tmp_path: Path) -> None:
    async with hostile(always(SAID)) as back, made(census(written(tmp_path, back.port))) as one:
        for _ in range(3):
            assert await ask(one) == Outcome(data=b'"Ana & Eva"')
        assert back.accepted == 1
        assert not one.idempotent


async def test_after_every_kind_of_bad_answer_the_next_call_works(tmp_path: Path) -> None:
    bad = [
        answer(fault("e:Server"), b"500 Broken"),
        answer(fault("Nobody")),
        answer(b"<a"),
        answer(b"", b"302 Found"),
        b"garbage\r\n\r\n",
    ]
    left = [*bad, SAID]

    async def script(peer: Peer) -> None:
        while await peer.request():
            await peer.send(left.pop(0))

    async with hostile(script) as back, made(census(written(tmp_path, back.port))) as one:
        said = [await ask(one) for _ in range(6)]
    assert [(each.reason, each.detail.partition(":")[0]) for each in said] == [
        (Reason.BACKEND_ERROR, "It answered with the fault Server"),
        (None, ""),
        (Reason.BACKEND_ERROR, "What it answered is not SOAP"),
        (Reason.BACKEND_ERROR, "It answered with a redirect (302), which is not followed"),
        (Reason.BACKEND_ERROR, "What it answered is not HTTP"),
        (None, ""),
    ]


async def test_one_that_hangs_is_cut_in_time(tmp_path: Path) -> None:
    async def hang(peer: Peer) -> None:
        await peer.gone()

    async with hostile(hang) as back, made(census(written(tmp_path, back.port))) as one:
        assert (await ask(one, seconds=0.1)).reason is Reason.BACKEND_TIMEOUT


async def test_a_value_that_xml_can_not_have_is_not_sent(tmp_path: Path) -> None:
    async with made(census(written(tmp_path))) as one:
        said = await ask(one, Question("r", "q", "a\x00b", {}))
    assert said.reason is Reason.BACKEND_ERROR
    assert said.detail == (
        "It can't be asked this: a value has characters that XML can't have, or is none that the operation takes"
    )
    assert not said.failure


async def test_a_wsdl_is_read_from_a_url_with_what_it_imports_and_never_again() -> None:
    paths: list[bytes] = []

    async def script(peer: Peer) -> None:
        while request := await peer.request():
            path = request.split(b" ")[1]
            paths.append(path)
            documents = {
                b"/a/census?wsdl": WSDL.format(port=1),
                b"/a/schemas/census.xsd": SCHEMA,
                b"/a/schemas/types.xsd": TYPES,
            }
            await peer.send(answer(documents[path].encode()) if path in documents else SAID)

    async with hostile(script) as back:
        wsdl = f"http://127.0.0.1:{back.port}/a/census?wsdl"
        settings = SoapSettings(
            wsdl=wsdl, operation="Person", arguments={"id": "{subject}"}, url=f"http://127.0.0.1:{back.port}/call"
        )
        # The back end runs on this loop, which reading a WSDL holds up: so it is made on another one, in a thread.
        await asyncio.to_thread(asyncio.run, _describe(settings))
        assert paths == [b"/a/census?wsdl", b"/a/schemas/census.xsd", b"/a/schemas/types.xsd"]


async def _describe(settings: SoapSettings) -> None:
    async with made(settings):
        pass


async def test_what_is_wrong_with_the_wsdl_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"connectors\.census\.wsdl: .*can't be read \(No such file"):
        async with made(census(str(tmp_path / "none.wsdl"))):
            pass


async def test_a_certificate_can_not_be_shown_where_the_wsdl_says_http(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"connectors\.census\.credentials: the URL is not https"):
        async with made(census(written(tmp_path)), CertificateCredentials(certificate="c", key="k")):
            pass


async def test_a_large_answer_is_read_beside_the_loop_and_transformed_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: dict[str, int] = {}
    said, shaped = Outcomes.said, Outcomes.shaped

    def reads(self: Outcomes, ending: Response | HttpError, light: int | None = None) -> bytes | Outcome:
        threads["said"] = get_ident()
        return said(self, ending, light)

    def shapes(self: Outcomes, data: bytes) -> Outcome:
        threads["shaped"] = get_ident()
        return shaped(self, data)

    monkeypatch.setattr(Outcomes, "said", reads)
    monkeypatch.setattr(Outcomes, "shaped", shapes)
    async with hostile(always(SAID)) as back, made(census(written(tmp_path, back.port))) as one:
        assert (await ask(one)).data == b'"Ana & Eva"'
        assert threads == {"said": get_ident(), "shaped": get_ident()}
        monkeypatch.setattr(backend, "LARGE", 10)
        assert (await ask(one)).data == b'"Ana & Eva"'
        assert threads["said"] != get_ident()
        assert threads["shaped"] == get_ident()


async def test_who_gives_up_while_an_answer_is_read_hears_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop, reading, go_on = asyncio.get_running_loop(), asyncio.Event(), Event()

    def waits(_: Outcomes, __: Response | HttpError, ___: int | None = None) -> Outcome:
        loop.call_soon_threadsafe(reading.set)
        go_on.wait(20)
        return Outcome()

    monkeypatch.setattr(Outcomes, "said", waits)
    monkeypatch.setattr(backend, "LARGE", 10)
    told: list[Outcome] = []
    async with hostile(always(SAID)) as back, made(census(written(tmp_path, back.port))) as one:
        abort = one.ask(QUESTION, Clock().now() + 20, told.append)
        await reading.wait()
        abort()
        go_on.set()
        monkeypatch.undo()
        assert (await ask(one)).data == b'"Ana & Eva"'
    assert told == []


async def test_an_answer_that_can_not_be_read_in_time_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = Event()

    def waits(_: Outcomes, __: Response | HttpError, ___: int | None = None) -> Outcome:
        go_on.wait(20)
        return Outcome()

    monkeypatch.setattr(Outcomes, "said", waits)
    monkeypatch.setattr(backend, "LARGE", 10)
    async with hostile(always(SAID)) as back, made(census(written(tmp_path, back.port))) as one:
        ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        one.ask(QUESTION, Clock().now() + 0.2, ended.set_result)
        outcome = await ended
        go_on.set()
    assert (outcome.reason, outcome.detail) == (Reason.BACKEND_TIMEOUT, "Its answer could not be read in time")


RPC = """<definitions targetNamespace="urn:c" xmlns:tns="urn:c" xmlns="http://schemas.xmlsoap.org/wsdl/"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <types><xsd:schema targetNamespace="urn:c">
    <xsd:complexType name="Row"><xsd:sequence>
      <xsd:element name="i" type="xsd:string" minOccurs="0" maxOccurs="unbounded"/>
    </xsd:sequence></xsd:complexType>
  </xsd:schema></types>
  <message name="In"><part name="id" type="xsd:string"/></message>
  <message name="Out"><part name="row" type="tns:Row"/></message>
  <portType name="P"><operation name="Get"><input message="tns:In"/><output message="tns:Out"/></operation></portType>
  <binding name="B" type="tns:P"><soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="Get"><soap:operation soapAction=""/>
      <input><soap:body use="literal" namespace="urn:c"/></input><output><soap:body use="literal" namespace="urn:c"/></output>
    </operation>
  </binding>
  <service name="S"><port name="P" binding="tns:B"><soap:address location="http://127.0.0.1:%d/"/></port></service>
</definitions>"""


def row(references: int, text: int) -> bytes:
    """An answer of an RPC service whose row refers to the same text so often."""
    return envelope(
        "<c:GetResponse xmlns:c='urn:c'><row>"
        + "<i href='#t'/>" * references
        + f"</row></c:GetResponse><t id='t'>{'x' * text}</t>"
    )


@pytest.mark.parametrize(
    ("references", "text", "detail", "readings"),
    [
        (2, 10, "", 1),
        (65, 1000, TOO_LARGE, 2),
        (100, 3000, "What it answered is not what its WSDL says", 1),
    ],
    ids=["read at once", "beside the loop", "not at all"],
)
async def test_what_references_make_of_an_answer_is_bounded_and_read_beside_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, references: int, text: int, detail: str, readings: int
) -> None:
    threads: list[int] = []
    said = Outcomes.said

    def reads(self: Outcomes, ending: Response | HttpError, light: int | None = None) -> bytes | Outcome:
        threads.append(get_ident())
        return said(self, ending, light)

    monkeypatch.setattr(Outcomes, "said", reads)
    content = answer(row(references, text), b"200 OK", b"content-type: text/xml; charset=utf-8")
    async with hostile(always(content)) as back:
        (tmp_path / "rpc.wsdl").write_text(RPC % back.port, encoding="utf-8")
        async with made(SoapSettings(wsdl=str(tmp_path / "rpc.wsdl"), operation="Get", arguments={"id": "1"})) as one:
            outcome = await ask(one)
    assert outcome.detail == detail
    assert len(threads) == readings
    assert threads[0] == get_ident()
    assert (threads[-1] != get_ident()) == (readings == 2)
    if not detail:
        assert outcome.data == b'["xxxxxxxxxx","xxxxxxxxxx"]'


@pytest.mark.parametrize("body", ["", "<c:GetResponse xmlns:c='urn:c'/>"])
async def test_an_answer_whose_message_has_nothing_in_it_is_one(tmp_path: Path, body: str) -> None:
    content = answer(envelope(body), b"200 OK", b"content-type: text/xml; charset=utf-8")
    async with hostile(always(content)) as back:
        text = RPC.replace('<part name="row" type="tns:Row"/>', "") % back.port
        (tmp_path / "rpc.wsdl").write_text(text, encoding="utf-8")
        async with made(SoapSettings(wsdl=str(tmp_path / "rpc.wsdl"), operation="Get", arguments={"id": "1"})) as one:
            assert await ask(one) == Outcome()


@pytest.mark.parametrize("kind", ["duration", "gYear", "dateTime", "boolean"])
async def test_an_argument_of_any_type_may_come_from_a_parameter_and_a_fixed_one_is_looked_at(
    tmp_path: Path, kind: str
) -> None:
    text = RPC.replace('<part name="id" type="xsd:string"/>', f'<part name="id" type="xsd:{kind}"/>') % 9
    (tmp_path / "rpc.wsdl").write_text(text, encoding="utf-8")
    said = SoapSettings(wsdl=str(tmp_path / "rpc.wsdl"), operation="Get", arguments={"id": "{params.x}"})
    async with made(said):
        pass
    if kind in ("duration", "gYear"):
        with pytest.raises(ConfigurationError, match=r"connectors\.census\.arguments"):
            async with made(msgspec.structs.replace(said, arguments={"id": "soon"})):
                pass

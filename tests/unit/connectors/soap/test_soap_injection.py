"""Whatever a citizen writes, one well-formed request with one envelope of the intended shape arrives, or none."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import unquote_to_bytes

from hypothesis import given, settings
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - it is compiled, and has no types

from esclusa.connectors.assembly import make_backend
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.soap import SoapSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids
from esclusa.testing.hostile import hostile
from unit.connectors.injection import TEXT, asked, collects
from unit.connectors.soap.service import ENVELOPE, PERSON, envelope, written

HEADERS = {
    *(b"host", b"accept", b"accept-encoding", b"user-agent", b"content-type", b"content-length", b"soapaction"),
    *(b"x-text", b"x-request-id", b"traceparent"),
}


def test_at_most_one_request_arrives_and_it_has_the_intended_shape(tmp_path: Path) -> None:
    wsdl = written(tmp_path)

    async def requests(subject: str, text: str) -> list[bytes]:
        arrived: list[bytes] = []
        async with hostile(collects(arrived), answer=envelope(PERSON), content_type="text/xml") as back:
            clock = Clock()
            said = SoapSettings(
                wsdl=wsdl,
                url=f"{back.url}/census/{{subject}}/end",
                operation="Person",
                arguments={"id": "{subject}", "place": {"town": "{params.text}"}},
                headers={"X-Text": "{params.text}"},
            )
            backend = make_backend("census", said, None, Workshop(clock, Ids(clock), 1000, Contexts()))
            await asked(backend, subject, text)
            await backend.close()
        return arrived

    @given(TEXT, TEXT)
    @settings(max_examples=60, deadline=None)
    def holds(subject: str, text: str) -> None:
        arrived = asyncio.run(requests(subject, text))
        assert len(arrived) <= 1
        for request in arrived:
            head, _, body = request.partition(b"\r\n\r\n")
            line, *fields = head.split(b"\r\n")
            method, target, version = line.split(b" ")
            assert (method, version) == (b"POST", b"HTTP/1.1")
            assert target.split(b"/")[1:] == [b"census", target.split(b"/")[2], b"end"]
            assert unquote_to_bytes(target.split(b"/")[2]) == subject.encode()
            names = [field.partition(b":")[0].lower() for field in fields]
            assert len(set(names)) == len(names)
            assert set(names) <= HEADERS
            assert shape(body) == [
                (f"{{{ENVELOPE['1.1']}}}Envelope", ""),
                (f"{{{ENVELOPE['1.1']}}}Body", ""),
                ("{urn:census}Person", ""),
                ("{urn:census}id", subject),
                ("{urn:census}place", ""),
                ("{urn:types}town", text),
            ]

    holds()


def shape(document: bytes) -> list[tuple[str, str]]:
    """Elements with their text, in order, of a document with nothing else in it."""
    root = etree.fromstring(document)
    assert not root.getroottree().docinfo.doctype
    return [(node.tag, node.text or "") for node in root.iter()]

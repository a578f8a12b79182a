"""Hosts of other kinds, beside the back ends: answers of 64 KiB, TLS, SOAP, and lines over TCP.

As bare as the back ends, in a process of their own on the same core; one of each. Targets are as there, `/NAME/DELAY`.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import msgspec
import trustme
import uvloop

from bench.backends import BACKLOG, FOUND, SMALL, Desk, answer
from bench.child import child
from bench.machine import settle

LARGE = 64 * 1024
"""Bytes of an answer that is large."""
NAMESPACE = "urn:bench"
WSDL = f"""<definitions targetNamespace="{NAMESPACE}" xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:tns="{NAMESPACE}"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <types><xsd:schema targetNamespace="{NAMESPACE}" elementFormDefault="qualified">
    <xsd:element name="Ask"><xsd:complexType><xsd:sequence>
      <xsd:element name="subject" type="xsd:string"/>
    </xsd:sequence></xsd:complexType></xsd:element>
    <xsd:element name="Found"><xsd:complexType><xsd:sequence>
      <xsd:element name="took" type="xsd:int"/>
      <xsd:element name="found" type="xsd:boolean"/>
      <xsd:element name="expediente" type="xsd:string" maxOccurs="unbounded"/>
    </xsd:sequence></xsd:complexType></xsd:element>
  </xsd:schema></types>
  <message name="In"><part name="parameters" element="tns:Ask"/></message>
  <message name="Out"><part name="parameters" element="tns:Found"/></message>
  <portType name="Bodies"><operation name="Ask">
    <input message="tns:In"/><output message="tns:Out"/>
  </operation></portType>
  <binding name="Bound" type="tns:Bodies">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="Ask">
      <soap:operation soapAction="ask"/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output>
    </operation>
  </binding>
  <service name="Bench"><port name="Port" binding="tns:Bound"><soap:address location="http://127.0.0.1/body/0"/></port></service>
</definitions>
"""
ENVELOPE = (
    '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
    f'<Found xmlns="{NAMESPACE}"><took>%9d</took><found>true</found><expediente>{"x" * 240}</expediente></Found>'
    "</e:Body></e:Envelope>"
).encode()
LINE = b"FOUND %9d;" + b"x" * 240 + b"\n"


class Hosts(msgspec.Struct, frozen=True):
    """Where they are."""

    large: str
    """`http://127.0.0.1:40001`, as the next two."""
    secure: str
    soap: str
    lines: int
    """A port."""
    authority: str
    """A PEM file: whom to trust for the secure one."""
    wsdl: str
    """A file: of the SOAP one."""


class LineDesk(asyncio.Protocol):
    """One connection; each line is answered with one."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has called."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """A line, or several."""
        begun = time.perf_counter()
        for _ in range(data.count(b"\n")):
            self._transport.write(LINE % ((time.perf_counter() - begun) * 1e6))


async def listen(folder: Path) -> Hosts:
    """All of them, until the loop ends. `folder`: for the files that their callers need."""
    loop = asyncio.get_running_loop()
    large = FOUND[:-3] + b"x" * (LARGE - len(FOUND % 0)) + FOUND[-3:]

    async def listening(says: bytes = SMALL, tls: ssl.SSLContext | None = None) -> int:
        server = await loop.create_server(partial(Desk, loop, says), "127.0.0.1", 0, backlog=BACKLOG, ssl=tls)
        port: int = server.sockets[0].getsockname()[1]
        return port

    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusted, wsdl = folder / "authority.pem", folder / "bench.wsdl"
    authority.cert_pem.write_to_path(str(trusted))
    wsdl.write_text(WSDL, encoding="utf-8")
    lines = await loop.create_server(LineDesk, "127.0.0.1", 0, backlog=BACKLOG)
    return Hosts(
        f"http://127.0.0.1:{await listening(answer(large))}",
        f"https://127.0.0.1:{await listening(tls=context)}",
        f"http://127.0.0.1:{await listening(answer(ENVELOPE, b'text/xml'))}",
        lines.sockets[0].getsockname()[1],
        str(trusted),
        str(wsdl),
    )


async def serve(folder: Path) -> None:
    """Listen, say where, and go on until standard input ends."""
    print(msgspec.json.encode(await listen(folder)).decode(), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


@contextmanager
def hosts(core: int) -> Iterator[Hosts]:
    """All of them, on `core`, for as long as this lasts."""
    with TemporaryDirectory(prefix="esclusa-bench-") as folder, child("bench.hosts", folder, str(core)) as said:
        yield msgspec.json.decode(said, type=Hosts)


if __name__ == "__main__":
    settle(int(sys.argv[2]))
    uvloop.run(serve(Path(sys.argv[1])))

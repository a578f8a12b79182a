"""The SOAP connector on a server that we did not write: the package `soap` of npm (H10)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from dev.npm import fetched, node

from esclusa import Reason, Snapshot, Submission, open_hub
from support.poll import until
from support.program import free_port
from unit.connectors.soap.service import written

pytestmark = pytest.mark.real

CONFIGURATION = """
[esclusa]
engine = "memory"

[connectors.signed]
protocol = "soap"
wsdl = "census.wsdl"
operation = "Person"
arguments = {{ id = "{{subject}}" }}
empty = ["Nobody"]
security = {{ username = "hub", password = "secret", type = "digest", timestamp = "5m", sign = {sign} }}

[connectors.newer]
protocol = "soap"
wsdl = "census.wsdl"
port = "Newer"
url = "http://127.0.0.1:{port}/newer"
operation = "Person"
arguments = {{ id = "{{subject}}" }}
transform = "place[].town"
empty = ["Nobody"]
security = {{ username = "hub", password = "secret", type = "digest", timestamp = "5m" }}

[connectors.refused]
protocol = "soap"
wsdl = "census.wsdl"
operation = "Person"
arguments = {{ id = "{{subject}}" }}
security = {{ username = "hub", password = "wrong", type = "digest", timestamp = "5m" }}

[queries.people]
subject = "text"
ttl = "20s"
connectors = ["*"]
"""
SIGN = '{ certificate = "signer.pem", key = "signer.key" }'


def signer(folder: Path) -> Path:
    """A certificate of RSA, and its key beside it."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hub")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
    pem = serialization.Encoding.PEM
    (folder / "signer.pem").write_bytes(built.sign(key, hashes.SHA256()).public_bytes(pem))
    form = serialization.PrivateFormat.PKCS8
    (folder / "signer.key").write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    return folder / "signer.pem"


@asynccontextmanager
async def census(folder: Path) -> AsyncIterator[None]:
    """The server of `census.js`, with what it needs and a hub's configuration in `folder`."""
    port = free_port()
    wsdl, certificate, modules = written(folder, port), signer(folder), await fetched("soap", "1.13.0")
    (folder / "esclusa.toml").write_text(CONFIGURATION.format(sign=SIGN, port=port))
    script = Path(__file__).with_name("census.js")
    process = await asyncio.create_subprocess_exec(node(), script, modules, wsdl, str(port), certificate)
    try:
        await until(lambda: described(port))
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def described(port: int) -> bool:
    """Whether it serves its WSDL already."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.write(b"GET /census?wsdl HTTP/1.0\r\n\r\n")
    try:
        return b" 200 " in await asyncio.wait_for(reader.readline(), 5)
    finally:
        writer.close()


async def asked(folder: Path, *subjects: str) -> list[Snapshot]:
    async with open_hub(folder / "esclusa.toml") as hub:
        final = []
        for subject in subjects:
            receipt = await hub.submit(Submission(caller="test", query="people", subject=subject))
            last = await hub.wait(receipt.id, "test", seconds=20)
            while last.query_more:
                last = await hub.wait(receipt.id, "test", seconds=20, tag=last.tag)
            final.append(last)
        return final


async def test_it_understands_our_envelopes_tokens_and_signatures_and_we_its_answers_and_faults(tmp_path: Path) -> None:
    async with census(tmp_path):
        snapshots = await asked(tmp_path, "12345678Z", "nobody", "broken")
    person, nobody, broken = [{answer.connector: answer for answer in snapshot.answers} for snapshot in snapshots]
    assert (person["signed"].reason, person["newer"].reason) == (None, None)
    assert json.loads(person["signed"].data or b"") == {
        "name": "Ana & 12345678Z",
        "born": "1980-02-29",
        "seen": None,
        "owes": "10.50",
        "photo": None,
        "place": [{"town": "signed"}, {"town": "Lugo"}],
        "_value_1": None,
    }
    assert json.loads(person["newer"].data or b"") == ["unsigned", "Lugo"]
    assert (nobody["signed"].reason, nobody["signed"].data) == (None, None)
    assert broken["signed"].reason is Reason.BACKEND_ERROR
    assert broken["signed"].detail == "It answered with the fault Server"
    assert {answers["refused"].reason for answers in (person, nobody, broken)} == {Reason.BACKEND_ERROR}
    assert "secret" not in repr(snapshots)

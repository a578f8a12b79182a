"""The page about SOAP: its configurations call a service by its WSDL (H10)."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from esclusa.cli import main
from esclusa.cli.exits import Exit
from unit.connectors.soap.service import PERSON, envelope, fault, written

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "soap.md").read_text(encoding="utf-8")
FIRST, SECURED = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
QUERY = '[queries.census]\nconnectors = ["census"]\n'
Capture = pytest.CaptureFixture[str]


class Census(BaseHTTPRequestHandler):
    """Knows one person."""

    heard: str = ""

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        type(self).heard = asked
        known = "12345678Z" in asked
        nobody = fault("app:NoPerson", "<detail><c:PersonNotFound xmlns:c='urn:census'/></detail>")
        said = envelope(PERSON) if known else nobody
        self.send_response(200 if known else 500)
        self.send_header("Content-Type", "text/xml; charset=utf-8")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing is said."""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the page's files, and the service that its WSDL tells of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CENSUS_PASSWORD", "s3creto")
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hub")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    Path("hub.pem").write_bytes(built.sign(key, hashes.SHA256()).public_bytes(pem))
    Path("hub.key").write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    with ThreadingHTTPServer(("127.0.0.1", 0), Census) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        written(tmp_path, server.server_port)
        yield tmp_path
        server.shutdown()
        thread.join(10)


def tried(configuration: str, subject: str, capsys: Capture) -> Any:
    """What becomes of one call."""
    Path("esclusa.toml").write_text(configuration + QUERY, encoding="utf-8")
    assert main(["check"]) == Exit.DONE
    capsys.readouterr()
    assert main(["connector", "try", "census", "--subject", subject, "--json"]) == Exit.DONE
    said = capsys.readouterr().out
    assert "s3creto" not in said
    return json.loads(said)["outcome"]["data"]


def test_the_first_configuration_asks_for_a_person_and_knows_when_there_is_none(capsys: Capture) -> None:
    assert tried(FIRST, "12345678Z", capsys) == {"name": "Ana & Eva", "born": "1980-02-29"}
    assert tried(FIRST, "99001192S", capsys) is None


def test_with_security_the_envelope_says_who_asks_and_is_signed(capsys: Capture) -> None:
    assert tried(SECURED, "12345678Z", capsys)["name"] == "Ana & Eva"
    for part in ("UsernameToken", "PasswordDigest", "Timestamp", "SignatureValue", "BinarySecurityToken"):
        assert part in Census.heard
    assert "s3creto" not in Census.heard

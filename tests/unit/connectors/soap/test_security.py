"""WS-Security: tokens, times and signatures, as the standard and another implementation have them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from zeep.exceptions import SignatureVerificationFailed
from zeep.ns import DS
from zeep.wsse.signature import verify_envelope
from zeep.wsse.username import UsernameToken

from esclusa.connectors.soap.security import WSSE, WSU, Security, digest
from esclusa.connectors.soap.settings import SecuritySettings, SignatureSettings
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import UnusableSettings
from esclusa.kernel.ids import Ids
from esclusa.testing.virtual import EPOCH
from unit.connectors.soap.service import StoppedClock, envelope

MILLIS = int(EPOCH * 1000)
NAMES = {"wsse": WSSE, "wsu": WSU, "ds": DS}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate and its key, of RSA."""
    folder = tmp_path_factory.mktemp("signer")
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "esclusa")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1))
    pem = serialization.Encoding.PEM
    (folder / "c.pem").write_bytes(built.sign(key, hashes.SHA256()).public_bytes(pem))
    locked = serialization.BestAvailableEncryption(b"sesame")
    (folder / "k.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, locked))
    return str(folder / "c.pem"), str(folder / "k.pem")


def secured(settings: SecuritySettings, version: str = "1.1") -> etree._Element:
    made = etree.fromstring(envelope("<a xmlns='urn:a'>text</a>", version))
    Security(settings, "census", Ids(StoppedClock(), seed=1)).secure(made, MILLIS)
    return etree.fromstring(etree.tostring(made))


def test_a_password_is_shown_as_it_is() -> None:
    token = secured(SecuritySettings(username="us<er", password="p&ss")).find(".//wsse:UsernameToken", NAMES)
    assert [token.findtext(f"wsse:{name}", None, NAMES) for name in ("Username", "Password")] == ["us<er", "p&ss"]
    assert token.find("wsse:Password", NAMES).get("Type").endswith("#PasswordText")
    assert token.getparent().get("{http://schemas.xmlsoap.org/soap/envelope/}mustUnderstand") == "1"


def test_or_as_a_digest_with_a_nonce_and_the_time() -> None:
    made = secured(SecuritySettings(username="user", password="secret", type="digest"), "1.2")
    nonce = base64.b64decode(made.findtext(".//wsse:Nonce", None, NAMES))
    created = made.findtext(".//wsu:Created", None, NAMES)
    assert created == "2027-01-15T08:00:00.000Z"
    assert made.findtext(".//wsse:Password", None, NAMES) == digest(nonce, created, "secret")
    assert b"secret" not in etree.tostring(made)


def test_a_digest_is_as_another_implementation_makes_it() -> None:
    created = datetime(2003, 7, 16, 1, 24, 32, tzinfo=UTC)
    theirs, _ = UsernameToken("u", "password", use_digest=True, nonce="n", created=created, zulu_timestamp=True).apply(
        etree.fromstring(envelope("")), {}
    )
    assert digest(b"n", "2003-07-16T01:24:32Z", "password") == theirs.findtext(".//wsse:Password", None, NAMES)


def test_a_timestamp_says_until_when_it_is_new() -> None:
    timestamp = secured(SecuritySettings(timestamp=Duration(300))).find(".//wsu:Timestamp", NAMES)
    assert [each.text for each in timestamp] == ["2027-01-15T08:00:00.000Z", "2027-01-15T08:05:00.000Z"]


def test_body_and_timestamp_are_signed_so_that_another_implementation_agrees(files: tuple[str, str]) -> None:
    certificate, key = files
    sign = SignatureSettings(certificate=certificate, key=key, password="sesame")
    made = secured(SecuritySettings(timestamp=Duration(300), sign=sign))
    verify_envelope(made, certificate)
    assert len(made.findall(".//ds:Reference", NAMES)) == 2
    assert b"sha1" not in etree.tostring(made)
    for place in ("{*}Body/{urn:a}a", f".//{{{WSU}}}Expires"):
        forged = etree.fromstring(etree.tostring(made))
        forged.find(place).text = "other"
        with pytest.raises(SignatureVerificationFailed):
            verify_envelope(forged, certificate)


def test_a_key_that_is_not_the_certificates_is_named(files: tuple[str, str], tmp_path: Path) -> None:
    other = rsa.generate_private_key(65537, 2048)
    form = serialization.PrivateFormat.PKCS8
    (tmp_path / "new.pem").write_bytes(other.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    said = SecuritySettings(sign=SignatureSettings(certificate=files[0], key=str(tmp_path / "new.pem")))
    with pytest.raises(UnusableSettings, match=r"new\.pem: it is not the key of .*c\.pem") as caught:
        Security(said, "census", Ids(StoppedClock()))
    assert caught.value.path[-1] == "key"


@pytest.mark.parametrize("wrong", ["password", "key", "certificate"])
def test_files_that_can_not_be_used_are_named(files: tuple[str, str], wrong: str, tmp_path: Path) -> None:
    said = {"certificate": files[0], "key": files[1], "password": "sesame"}
    said[wrong] = "no" if wrong == "password" else str(tmp_path / "none.pem")
    with pytest.raises(UnusableSettings) as caught:
        Security(SecuritySettings(sign=SignatureSettings(**said)), "census", Ids(StoppedClock()))
    assert caught.value.path == ("connectors", "census", "security", "sign", "certificate" if wrong == "certificate" else "key")


def test_xmlsec_and_lxml_are_built_on_one_libxml2() -> None:
    assert xmlsec.get_libxml_version() == etree.LIBXML_VERSION

"""Who is trusted, who we are, and what went wrong in words."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from esclusa.connectors.transport import client_context
from esclusa.connectors.transport.tls import in_our_words
from unit.connectors.transport.trust import Trust


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    return Trust(tmp_path_factory.mktemp("trust"))


def test_back_ends_are_verified_by_chain_and_name(trust: Trust) -> None:
    for context in (client_context(), client_context(ca=trust.ca_file)):
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_own_authorities_stand_in_place_of_the_systems(trust: Trust) -> None:
    assert len(client_context(ca=trust.ca_file).get_ca_certs()) == 1


def test_a_certificate_of_our_own(trust: Trust) -> None:
    certificate, key = trust.client("esclusa@example.org")
    client_context(ca=trust.ca_file, certificate=certificate, key=key)


def test_files_that_can_not_be_used_are_named(trust: Trust, tmp_path: Path) -> None:
    certificate, key = trust.client("esclusa@example.org")
    junk = tmp_path / "junk.pem"
    junk.write_text("junk", encoding="utf-8")
    absent = str(tmp_path / "absent.pem")
    with pytest.raises(ValueError, match=r"absent\.pem: no authorities can be read from it \(No such file"):
        client_context(ca=absent)
    with pytest.raises(ValueError, match=r"junk\.pem: no authorities"):
        client_context(ca=str(junk))
    with pytest.raises(ValueError, match=r"absent\.pem: no certificate with its key can be read"):
        client_context(certificate=absent, key=key)
    with pytest.raises(ValueError, match=r"client\.pem: no certificate with its key"):
        client_context(certificate=certificate, key=str(junk))
    with pytest.raises(ValueError, match=r"client\.pem: no certificate with its key"):
        client_context(certificate=certificate)


def test_a_key_under_a_password(trust: Trust, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    certificate, key = trust.client("esclusa@example.org")
    secret = serialization.load_pem_private_key(Path(key).read_bytes(), None)
    locked = tmp_path / "locked.key"
    coding = serialization.BestAvailableEncryption(b"open sesame")
    locked.write_bytes(secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, coding))
    client_context(certificate=certificate, key=str(locked), password="open sesame")
    for wrong in ("shut", None):
        with pytest.raises(ValueError, match="no certificate with its key"):
            client_context(certificate=certificate, key=str(locked), password=wrong)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "it refused TLS with us: certificate required"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "it refused TLS with us: handshake failure"),
        ("WRONG_VERSION_NUMBER", "it does not speak TLS as we do"),
        (None, "it does not speak TLS as we do"),
    ],
)
def test_errors_in_words(reason: str | None, words: str) -> None:
    failure = ssl.SSLError(1, "its words")
    failure.reason = reason  # type: ignore[assignment]  # as OpenSSL leaves it at times
    assert in_our_words(failure) == words


def test_an_error_that_openssl_did_not_raise() -> None:
    assert in_our_words(ssl.SSLError("its words")) == "it does not speak TLS as we do"


def test_a_certificate_that_fails_in_an_unusual_way() -> None:
    failure = ssl.SSLCertVerificationError(1, "its words")
    failure.verify_code = 77
    assert in_our_words(failure) == "its certificate can't be verified"
    assert "closed" in in_our_words(ConnectionResetError())

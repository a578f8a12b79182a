from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from esclusa.testing.hostile.certificates import Certificates


def shaken(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """Let both sides of TLS talk until each is content; `ssl.SSLError`."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [client.wrap_bio(back, there, server_hostname=name), server.wrap_bio(there, back, server_side=True)]
    content = set[int]()
    while len(content) < len(sides):
        for place, side in enumerate(sides):
            try:
                side.do_handshake()
                content.add(place)
            except ssl.SSLWantReadError:
                pass


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


@pytest.fixture
def trusting(certificates: Certificates) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificates.ca)


@pytest.mark.parametrize("name", ["127.0.0.1", "dgt.example"])
def test_what_the_authority_vouches_for_is_trusted(certificates: Certificates, trusting: ssl.SSLContext, name: str) -> None:
    shaken(certificates.server(name), trusting, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(certificates.server(name), trusting, "other.example")


@pytest.mark.parametrize("wrong", ["expired", "early", "self_signed"])
def test_what_is_wrong_is_not(certificates: Certificates, trusting: ssl.SSLContext, wrong: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(certificates.server("dgt.example", **{wrong: True}), trusting, "dgt.example")


def test_an_authority_trusts_its_own_clients_alone(certificates: Certificates, trusting: ssl.SSLContext) -> None:
    server = certificates.server("dgt.example", clients=True)
    with pytest.raises(ssl.SSLError):
        shaken(server, trusting, "dgt.example")
    trusting.load_cert_chain(*certificates.client("hub.example"))
    shaken(server, trusting, "dgt.example")

from __future__ import annotations

import ssl
from pathlib import Path

from esclusa.testing.hostile.certificates import Certificates


async def test_the_authority_can_be_trusted_and_certificates_of_it_served(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    assert ssl.create_default_context(cafile=certificates.ca).cert_store_stats()["x509_ca"] == 1
    for context in (
        certificates.server("127.0.0.1"),
        certificates.server("dgt.example", expired=True),
        certificates.server("dgt.example", self_signed=True),
    ):
        assert isinstance(context, ssl.SSLContext)

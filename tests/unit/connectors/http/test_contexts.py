"""How TLS is done with back ends: made once for all that trust and show the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from esclusa.connectors.http.contexts import Contexts, is_secure
from esclusa.connectors.http.settings import TlsSettings
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.settings import CertificateCredentials
from esclusa.kernel.errors import UnusableSettings
from esclusa.testing.hostile import Certificates


def test_connectors_that_trust_and_show_the_same_share_a_context(tmp_path: Path) -> None:
    trust = Certificates(tmp_path)
    certificate, key = trust.client("hub.example")
    ours = CertificateCredentials(certificate=certificate, key=key)
    contexts = Contexts()
    assert contexts.of(None, None) is contexts.of(None, None)
    assert contexts.of(trust.ca, ours) is contexts.of(trust.ca, CertificateCredentials(certificate=certificate, key=key))
    assert contexts.of(trust.ca, ours) is not contexts.of(trust.ca, None)


def test_tls_is_done_where_the_url_says_so() -> None:
    assert is_secure("HTTPS://dgt.example/")
    assert Contexts().dial("http://dgt.example/", RestSettings(url="http://dgt.example/"), None, "dgt") is None


def test_a_file_that_can_not_be_used_is_named_with_its_key(tmp_path: Path) -> None:
    settings = RestSettings(url="https://dgt.example/", tls=TlsSettings(ca=str(tmp_path / "absent.pem")))
    with pytest.raises(UnusableSettings) as raised:
        Contexts().dial(settings.url, settings, None, "dgt")
    assert raised.value.path == ("connectors", "dgt", "tls", "ca")

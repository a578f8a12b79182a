"""What is looked at in the settings of a SOAP connector before anything is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from esclusa.config.config import load
from esclusa.connectors.assembly import faults
from esclusa.connectors.http.settings import TlsSettings
from esclusa.connectors.settings import BasicCredentials, CertificateCredentials
from esclusa.connectors.soap import SoapSettings, soap
from esclusa.connectors.soap.settings import SecuritySettings


def test_what_is_right_has_no_faults_and_nothing_is_read() -> None:
    said = SoapSettings(
        wsdl="/nowhere.wsdl",
        operation="o",
        arguments={"id": "{subject}"},
        security=SecuritySettings(username="u", password="p"),
    )
    assert faults("x", said, BasicCredentials(username="u", password="p")) == []


@pytest.mark.parametrize(
    ("wrong", "key", "words"),
    [
        ({"arguments": {"id": "{nif}"}}, "arguments", "{nif}: a placeholder is one of"),
        ({"url": "ftp://h/"}, "url", "is not an absolute http or https URL"),
        ({"url": "http://h/", "tls": TlsSettings(name="h")}, "tls", "neither URL is https"),
        ({"headers": {"X": "a\nb"}}, "X", "visible ASCII"),
        ({"security": SecuritySettings()}, "security", "there is nothing in it"),
        ({"security": SecuritySettings(password="p")}, "security", "a password without a username"),
        ({"security": SecuritySettings(username="u", type="digest")}, "security", "a digest is of a password"),
    ],
)
def test_what_is_wrong_is_named_with_its_key(wrong: dict[str, Any], key: str, words: str) -> None:
    [(path, said)] = faults("x", SoapSettings(wsdl="/nowhere.wsdl", operation="o", **wrong))
    assert path[-1] == key
    assert words in said


def test_a_certificate_is_shown_over_tls_alone() -> None:
    shown = CertificateCredentials(certificate="c", key="k")
    [(path, said)] = faults("x", SoapSettings(wsdl="/w", operation="o", url="http://h/", credentials="me"), shown)
    assert (path, said) == (("connectors", "x", "credentials"), "the URL is not https: no certificate can be shown")


def test_without_its_packages_it_says_what_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soap, "find_spec", lambda name: None if name == "xmlsec" else object())
    [(path, said)] = faults("x", SoapSettings(wsdl="/w", operation="o"))
    assert (path[-1], said) == ("protocol", 'SOAP is not installed: pip install "esclusa[soap]"')


@pytest.mark.parametrize("url", ["https://h/a?wsdl", "census.wsdl"])
def test_the_wsdl_is_a_url_or_a_file_beside_the_configuration(url: str, tmp_path: Path) -> None:
    (tmp_path / "esclusa.toml").write_text(
        f'[connectors.x]\nprotocol = "soap"\nwsdl = "{url}"\noperation = "o"\n'
        '[queries.q]\nsubject = "text"\nttl = "10s"\nconnectors = ["*"]\n'
    )
    (tmp_path / "census.wsdl").touch()
    said = load(tmp_path / "esclusa.toml", {}).connectors["x"]
    assert isinstance(said, SoapSettings)
    assert said.wsdl == (url if "://" in url else str(tmp_path / url))

"""Reading a WSDL, with all that it imports, and what can be wrong with it."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from esclusa.connectors.soap import SoapSettings
from esclusa.connectors.soap.description import Description
from esclusa.kernel.errors import UnusableSettings
from unit.connectors.soap.service import ENVELOPE, TYPES, WSDL, written


def described(wsdl: str, **more: Any) -> Description:
    settings = SoapSettings(wsdl=wsdl, **{"operation": "Person", **more})
    return Description("census", settings, perf_counter, None)


def test_a_wsdl_with_imports_within_imports_is_read(tmp_path: Path) -> None:
    found = described(written(tmp_path))
    assert (found.url, found.action, found.newer) == ("http://127.0.0.1:1/census", "urn:census#Person", False)
    assert found.envelope == ENVELOPE["1.1"]


def test_a_port_of_soap_1_2_is_chosen_by_name(tmp_path: Path) -> None:
    found = described(written(tmp_path), port="Newer", service="CensusService", url="http://h/x")
    assert (found.url, found.newer, found.envelope) == ("http://h/x", True, ENVELOPE["1.2"])


@pytest.mark.parametrize(
    ("more", "key", "words"),
    [
        ({"operation": "Nothing"}, "operation", "the WSDL has no operation Nothing: choose Person"),
        ({"port": "Other"}, "port", "the WSDL has no port Other: choose Newer, Older"),
        ({"service": "Other"}, "service", "the WSDL has no service Other: choose CensusService"),
    ],
)
def test_what_it_does_not_have_is_named_with_what_it_has(tmp_path: Path, more: dict[str, str], key: str, words: str) -> None:
    with pytest.raises(UnusableSettings) as caught:
        described(written(tmp_path), **more)
    assert (caught.value.path, str(caught.value)) == (("connectors", "census", key), words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is no WSDL that can be understood"),
        ("<a/>", "it describes no service"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "is no WSDL that can be understood"),
        ('<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>', "it describes no service"),
    ],
)
def test_what_is_no_wsdl_is_refused(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "a.wsdl"
    path.write_text(content)
    with pytest.raises(UnusableSettings, match=words) as caught:
        described(str(path))
    assert caught.value.path == ("connectors", "census", "wsdl")


def test_a_document_that_is_missing_is_named(tmp_path: Path) -> None:
    wsdl = written(tmp_path)
    (tmp_path / "schemas" / "types.xsd").unlink()
    with pytest.raises(UnusableSettings, match=r"types\.xsd can't be read \(No such file or directory\)"):
        described(wsdl)


def test_a_schema_with_a_document_type_is_refused(tmp_path: Path) -> None:
    wsdl = written(tmp_path)
    (tmp_path / "schemas" / "types.xsd").write_text(TYPES.replace("?>\n", "?>\n<!DOCTYPE x>\n", 1))
    with pytest.raises(UnusableSettings, match="no WSDL that can be understood"):
        described(wsdl)


def test_without_an_address_one_is_asked_for(tmp_path: Path) -> None:
    wsdl = written(tmp_path)
    Path(wsdl).write_text(WSDL.replace(' location="http://127.0.0.1:{port}/census"', ""))
    with pytest.raises(UnusableSettings, match="say here where the service is"):
        described(wsdl)
    assert described(wsdl, url="http://h/").url == "http://h/"

"""What is written of a WSDL passes the check, and can be called."""

from __future__ import annotations

import re
from pathlib import Path
from time import perf_counter

import msgspec
import pytest

from esclusa.connectors.http.documents import LARGEST
from esclusa.connectors.soap.description import Description
from esclusa.connectors.soap.envelope import Envelopes
from esclusa.connectors.soap.settings import SoapSettings
from esclusa.connectors.soap.sketch import Wsdl, sketched
from esclusa.kernel.ids import Ids
from support.descriptions import HERE, WSDLS, checked, contents, uncommented
from unit.connectors.soap.service import QUESTION, StoppedClock

SAMPLES = [(file, operation) for file, operations in WSDLS.items() for operation in operations]


def described(file: str) -> Wsdl:
    return Wsdl(str(HERE / file), perf_counter, None)


def written(file: str, operation: str) -> str:
    wsdl = described(file)
    return sketched(wsdl, wsdl.chosen(operation), "body", str(HERE / file))


@pytest.mark.parametrize(("file", "operations"), WSDLS.items())
def test_what_can_be_called_is_offered(file: str, operations: list[str]) -> None:
    assert [each.offer.operation for each in described(file).operations] == operations


@pytest.mark.parametrize(("file", "operation"), SAMPLES)
def test_what_is_written_passes_the_check_and_can_be_called(file: str, operation: str, tmp_path: Path) -> None:
    text = written(file, operation)
    contents(text)
    configuration = checked(text, tmp_path)
    settings = configuration.connectors["body"]
    assert isinstance(settings, SoapSettings)
    description = Description("body", settings, perf_counter, None)
    envelopes = Envelopes("body", settings, None, description, None, StoppedClock(), Ids(StoppedClock()))
    question = msgspec.structs.replace(QUESTION, params=dict.fromkeys(configuration.queries["body"].params, "2026"))
    assert b">12345678Z<" in envelopes.make(question).body


@pytest.mark.parametrize(("file", "operation"), SAMPLES)
@pytest.mark.parametrize("key", ["items", "transform", "idempotent", "empty"])
def test_what_is_in_comments_passes_it_too(file: str, operation: str, key: str, tmp_path: Path) -> None:
    text = written(file, operation)
    if re.search(rf"^# (\[[\w.-]+\.{key}\]|{key} = )", text, re.MULTILINE):
        checked(uncommented(text, key), tmp_path)


def test_a_policy_becomes_security() -> None:
    connector, _, query = contents(written("catastro.wsdl", "ConsultaFincas"))
    security = connector["security"]
    assert security == {"username": "${BODY_USER}", "password": "${BODY_PASSWORD}", "type": "digest", "timestamp": "5m"}
    assert connector["arguments"]["titular"] == {"nif": "{subject}", "nombre": "{params.nombre}"}
    assert query["subject"] == "nif"


def test_service_and_port_are_said_where_there_are_several() -> None:
    connector = contents(written("padron.wsdl", "PadronDePruebas/consulta"))[0]
    assert (connector["service"], connector["url"]) == ("PadronDePruebas", "https://replace.example/")
    assert "port" not in connector
    assert contents(written("census.wsdl", "Person"))[0]["port"] == "Older"


def test_what_is_not_offered_is_told_with_what_is() -> None:
    with pytest.raises(ValueError, match="there is no operation Nothing: choose Person"):
        described("census.wsdl").chosen("Nothing")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<a/>", "describes no operation of SOAP over HTTP"),
        (b"no xml", "is no WSDL that can be understood"),
        (b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><a>&d;</a>', "is no WSDL that can be understood"),
        (b" " * (LARGEST + 1), "is larger than 16 MiB"),
    ],
)
def test_what_is_no_wsdl_is_told(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.wsdl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=words):
        Wsdl(str(path), perf_counter, None)


def test_names_in_a_wsdl_stay_names(tmp_path: Path) -> None:
    wsdl = (HERE / "census.wsdl").read_text(encoding="utf-8").replace("CensusService", "A&quot;]&#10;[x]${HOME}")
    (tmp_path / "schemas").symlink_to(HERE / "schemas")
    path = tmp_path / "census.wsdl"
    path.write_text(wsdl, encoding="utf-8")
    described = Wsdl(str(path), perf_counter, None)
    text = sketched(described, described.operations[0], "body", str(path))
    connector = contents(text)[0]
    assert connector["title"].startswith('A"] [x]$${HOME}')
    checked(text, tmp_path)

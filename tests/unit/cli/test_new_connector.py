"""`esclusa connector new`: lists what there is, and writes what is chosen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from esclusa.cli import main
from esclusa.cli.exits import Exit
from support.descriptions import HERE, contents

Capture = pytest.CaptureFixture[str]
NEW = ["connector", "new"]
LIST_PETS = [*NEW, "--openapi", "petstore.json", "--operation", "listPets"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(HERE, tmp_path, dirs_exist_ok=True)


def test_several_operations_are_listed(capsys: Capture) -> None:
    assert main([*NEW, "--openapi", "petstore.json"]) == Exit.DONE
    out, err = capsys.readouterr()
    assert "showPetById" in out
    assert "GET /pets/{petId}" in out
    assert err == "Choose one of them: add --operation OPERATION\n"
    assert main([*NEW, "--wsdl", "padron.wsdl", "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out)["operations"][0]["operation"] == "PadronService/consulta"


def test_the_only_operation_needs_no_choice(capsys: Capture) -> None:
    assert main([*NEW, "--wsdl", "census.wsdl"]) == Exit.DONE
    assert contents(capsys.readouterr().out)[0]["operation"] == "Person"


def test_what_goes_to_standard_output_can_be_appended(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["init"]) == Exit.DONE
    capsys.readouterr()
    assert main([*LIST_PETS, "--name", "pets"]) == Exit.DONE
    out = capsys.readouterr().out
    with Path("esclusa.toml").open("a", encoding="utf-8") as file:
        file.write(out)
    monkeypatch.setenv("PETS_KEY", "anything")
    assert main(["check"]) == Exit.DONE


def test_a_file_is_written_once_and_paths_in_it_start_there(capsys: Capture) -> None:
    Path("bodies").mkdir()
    written = [*NEW, "--wsdl", "census.wsdl", "--out", "bodies/census.toml"]
    assert main(written) == Exit.DONE
    assert "esclusa check bodies/census.toml" in capsys.readouterr().out
    assert contents(Path("bodies/census.toml").read_text(encoding="utf-8"))[0]["wsdl"] == "../census.wsdl"
    assert main(["check", "bodies/census.toml"]) == Exit.DONE
    capsys.readouterr()
    assert main(written) == Exit.FAILED
    assert capsys.readouterr().err == "esclusa: bodies/census.toml is there already, and stays as it is: name another file\n"
    assert main([*NEW, "--wsdl", "census.wsdl", "--out", "none/x.toml"]) == Exit.FAILED
    assert "none/x.toml can't be written: no such file or directory" in capsys.readouterr().err


def test_with_json_there_is_one_document(capsys: Capture) -> None:
    assert main([*LIST_PETS, "--json"]) == Exit.DONE
    document = json.loads(capsys.readouterr().out)
    assert document["operation"] == "listPets"
    contents(document["configuration"])


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], Exit.MISTAKE, "write either --openapi or --wsdl, with a file or a URL"),
        (["--openapi", "a", "--wsdl", "b"], Exit.MISTAKE, "write either --openapi or --wsdl"),
        (["--openapi", "petstore.json", "--name", "My Pets"], Exit.MISTAKE, "my-pets would be one"),
        (
            ["--openapi", "petstore.json", "--operation", "x"],
            Exit.FAILED,
            "there is no operation x: choose listPets, createPet",
        ),
        (["--openapi", "none.json"], Exit.FAILED, "none.json can't be read (No such file or directory)"),
        (["--openapi", "census.wsdl"], Exit.FAILED, "census.wsdl is no OpenAPI description: one of 3.0 or 3.1 is needed"),
        (["--wsdl", "petstore.json"], Exit.FAILED, "petstore.json is no WSDL that can be understood"),
        (
            ["--openapi", "http://127.0.0.1:1/x.json"],
            Exit.FAILED,
            "http://127.0.0.1:1/x.json can't be read (Connection refused)",
        ),
    ],
)
def test_what_goes_wrong_is_told(capsys: Capture, arguments: list[str], code: Exit, words: str) -> None:
    assert main([*NEW, *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err


def test_without_its_package_soap_is_refused_with_the_remedy(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esclusa.cli.new_connector.find_spec", lambda _: None)
    assert main([*NEW, "--wsdl", "census.wsdl"]) == Exit.FAILED
    assert 'pip install "esclusa[soap]"' in capsys.readouterr().err

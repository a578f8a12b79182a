"""`esclusa check`: every mistake at once, or what would run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from esclusa.cli import main
from esclusa.cli.exits import Exit
from esclusa.demo.soap import wsdl

Capture = pytest.CaptureFixture[str]

SOUND = """
[esclusa]
environment = "pro"
[server]
admin = "127.0.0.1:8081"
[clients.sede]
key = "${SEDE_KEY}"
[connectors.dgt]
url = "https://dgt.example/{subject}"
[connectors.padron]
url = "https://padron.example/{subject}"
pool = "slow"
[pools.slow]
[queries.multas]
ttl = "90s"
connectors = ["dgt"]
"""
WRONG = "[conectors.dgt]\n[queries.q]\nttl = 3\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_is_sound_is_told_with_what_would_run(capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEDE_KEY", "a secret of the environment")
    Path("esclusa.toml").write_text(SOUND, encoding="utf-8")
    assert main(["check"]) == Exit.DONE
    out, err = capsys.readouterr()
    assert out == (
        "esclusa.toml is sound.\n"
        f"  storage     embedded, in {tmp_path}/esclusa-data\n"
        "  environment pro\n"
        "  API         http://127.0.0.1:8080, metrics at http://127.0.0.1:8081\n"
        "  clients     sede\n"
        "  connectors  2, in the pools default, slow\n"
        "  query       multas: asks 1 of them, answers within 1m30s, kept for 10m\n"
    )
    assert err == ""


def test_nothing_at_all_is_sound_and_asks_nobody(capsys: Capture) -> None:
    Path("empty.toml").write_text("[esclusa]\nengine = 'memory'", encoding="utf-8")
    assert main(["check", "empty.toml"]) == Exit.DONE
    out = capsys.readouterr().out
    assert "  storage     memory\n" in out
    assert "none: only this machine's operator can ask" in out
    assert "none: nothing can be asked yet" in out


def test_every_mistake_is_a_line_on_standard_error(capsys: Capture) -> None:
    Path("esclusa.toml").write_text(WRONG, encoding="utf-8")
    assert main(["check"]) == Exit.MISTAKE
    out, err = capsys.readouterr()
    assert out == ""
    first, second = err.splitlines()
    assert first == 'esclusa.toml:1: unknown table [conectors]: did you mean "connectors"?'
    assert second.startswith("esclusa.toml:3: queries.q.ttl is a whole number, not a duration: ")


def test_with_json_standard_output_is_one_document(capsys: Capture) -> None:
    Path("esclusa.toml").write_text(WRONG, encoding="utf-8")
    assert main(["check", "--json"]) == Exit.MISTAKE
    found = json.loads(capsys.readouterr().out)
    assert found["sound"] is False
    assert [(mistake["file"], mistake["line"]) for mistake in found["mistakes"]] == [("esclusa.toml", 1), ("esclusa.toml", 3)]
    Path("esclusa.toml").write_text("", encoding="utf-8")
    assert main(["check", "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out) == {"sound": True, "mistakes": []}


def test_it_never_shows_a_secret(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEDE_KEY", "hunter2")
    Path("esclusa.toml").write_text(SOUND, encoding="utf-8")
    for arguments in (["check"], ["check", "--json"]):
        assert main(arguments) == Exit.MISTAKE
        assert "hunter2" not in "".join(capsys.readouterr())


def test_with_connect_every_part_is_tried_and_nothing_is_made(capsys: Capture) -> None:
    Path("esclusa.toml").write_text("", encoding="utf-8")
    assert main(["check", "--connect"]) == Exit.DONE
    out = capsys.readouterr().out
    assert "esclusa.toml is sound.\n" in out
    assert "\nembedded\n  ✓ folder: " in out
    assert out.endswith("\nAll that is needed is there.\n")
    assert not Path("esclusa-data").exists()


def test_what_is_wrong_is_told_with_its_remedy(capsys: Capture) -> None:
    Path("esclusa.toml").write_text('[esclusa]\ndata = "file"\n', encoding="utf-8")
    Path("file").touch()
    assert main(["check", "--connect"]) == Exit.FAILED
    lines = capsys.readouterr().out.splitlines()
    assert lines[-4].endswith("file is no folder")
    assert lines[-4].startswith("  ✗ folder: ")
    assert lines[-3] == "      set esclusa.data to one"
    assert lines[-1] == "Not ready: 1 of 2 parts is wrong."


def test_with_connect_and_json_it_is_one_document(capsys: Capture) -> None:
    Path("esclusa.toml").write_text("[esclusa]\nengine = 'memory'", encoding="utf-8")
    assert main(["check", "--connect", "--json"]) == Exit.DONE
    said = json.loads(capsys.readouterr().out)
    assert (said["sound"], said["mistakes"], said["ready"]) == (True, [], True)
    assert said["parts"] == [
        {
            "engine": "memory",
            "part": "memory",
            "state": "doubtful",
            "what": "nothing outlives the process",
            "remedy": 'for more than a trial: engine = "embedded"',
        }
    ]


def test_an_environment_that_no_connector_knows_is_told(capsys: Capture) -> None:
    body = "[connectors.a]\nurl = 'http://a'\nenvironments.pro.url = 'http://b'\n"
    for environment, told in [("prod", 'prod, for which no connector has anything: did you mean "pro"?'), ("pro", "pro")]:
        Path("esclusa.toml").write_text(f"[esclusa]\nenvironment = '{environment}'\n{body}", encoding="utf-8")
        assert main(["check"]) == Exit.DONE
        assert f"  environment {told}\n" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["check"], ["connector", "try", "census", "--subject", "12345678Z"], ["run"]])
def test_what_only_a_description_tells_is_told_with_its_line(capsys: Capture, command: list[str]) -> None:
    Path("census.wsdl").write_bytes(wsdl("oepm", "http://127.0.0.1:9/").content)
    Path("esclusa.toml").write_text(
        "[esclusa]\nengine = 'memory'\n[connectors.census]\nprotocol = 'soap'\nwsdl = 'census.wsdl'\noperation = 'Absent'\n[queries.q]\n",
        encoding="utf-8",
    )
    assert main(command) == Exit.MISTAKE
    assert capsys.readouterr().err.startswith("esclusa.toml:6: connectors.census.operation: the WSDL has no operation Absent")


def test_of_descriptions_every_mistake_is_told_at_once(capsys: Capture) -> None:
    Path("census.wsdl").write_bytes(wsdl("oepm", "http://127.0.0.1:9/").content)
    for name in ("one", "two"):
        with Path("esclusa.toml").open("a", encoding="utf-8") as file:
            file.write(f"[connectors.{name}]\nprotocol = 'soap'\nwsdl = 'census.wsdl'\noperation = 'Absent'\n")
    assert main(["check"]) == Exit.MISTAKE
    assert [line.partition(": the")[0] for line in capsys.readouterr().err.splitlines()] == [
        "esclusa.toml:4: connectors.one.operation",
        "esclusa.toml:8: connectors.two.operation",
    ]


def test_a_description_that_stands_elsewhere_is_not_fetched_unless_told_so(capsys: Capture) -> None:
    Path("esclusa.toml").write_text(
        "[esclusa]\nengine = 'memory'\n[connectors.census]\nprotocol = 'soap'\nwsdl = 'http://127.0.0.1:9/x'\noperation = 'Ask'\n[queries.q]\n",
        encoding="utf-8",
    )
    assert main(["check"]) == Exit.DONE
    assert main(["check", "--connect"]) == Exit.MISTAKE
    assert capsys.readouterr().err.startswith("esclusa.toml:5: connectors.census.wsdl: ")

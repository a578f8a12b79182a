"""`esclusa init`: a first configuration, to read and to change."""

from __future__ import annotations

from pathlib import Path

import pytest

from esclusa.cli import main
from esclusa.cli.exits import Exit

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("SEDE_KEY", "REGISTRY_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_what_it_writes_passes_check(capsys: Capture) -> None:
    assert main(["init"]) == Exit.DONE
    out = capsys.readouterr().out
    assert "esclusa check " in out
    assert "esclusa run " in out
    assert main(["check"]) == Exit.DONE
    assert Path("esclusa.toml").read_text(encoding="utf-8").startswith("# What Esclusa asks, whom, and how.")


def test_it_never_overwrites(capsys: Capture) -> None:
    Path("esclusa.toml").write_text("mine", encoding="utf-8")
    assert main(["init"]) == Exit.FAILED
    assert Path("esclusa.toml").read_text(encoding="utf-8") == "mine"
    assert capsys.readouterr() == ("", "esclusa: esclusa.toml is there already, and stays as it is: name another file\n")


def test_it_writes_where_it_is_told(capsys: Capture) -> None:
    assert main(["init", "other.toml"]) == Exit.DONE
    assert "esclusa check other.toml" in capsys.readouterr().out
    assert main(["check", "other.toml"]) == Exit.DONE


def test_a_folder_that_is_not_there_is_told_without_a_traceback(capsys: Capture) -> None:
    assert main(["init", "none/esclusa.toml"]) == Exit.FAILED
    assert capsys.readouterr().err == "esclusa: none/esclusa.toml can't be written: no such file or directory\n"

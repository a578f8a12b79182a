"""How this program is started again, from another terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from esclusa.cli.program import program


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder, with the program in an environment below it, by which it was started; nothing is on the PATH."""
    folder = tmp_path / "an environment"
    folder.mkdir()
    (folder / "esclusa").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "esclusa").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(folder / "esclusa"), "demo"])
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("here")
def test_what_is_not_on_the_path_is_named_by_where_it_is() -> None:
    assert program() == "'an environment/esclusa'"


def test_in_its_own_folder_it_is_still_a_path(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(here / "an environment")
    assert program() == "./esclusa"


def test_from_afar_the_whole_path_is_shorter(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    far = here.joinpath(*"abcdefghijklmnopqrstuvwxyz" * 3)
    far.mkdir(parents=True)
    monkeypatch.chdir(far)
    assert program() == f"'{here}/an environment/esclusa'"


def test_on_the_path_its_name_is_enough(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(here / "an environment"))
    assert program() == "esclusa"


def test_another_of_that_name_on_the_path_is_not_this_one(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "other").mkdir()
    (here / "other" / "esclusa").write_text("#!/bin/sh\n", encoding="utf-8")
    (here / "other" / "esclusa").chmod(0o755)
    monkeypatch.setenv("PATH", f"{here / 'other'}{os.pathsep}{here / 'an environment'}")
    assert program() == "'an environment/esclusa'"


@pytest.mark.usefixtures("here")
def test_a_program_that_only_calls_it_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["-c"])
    assert program() == "esclusa"

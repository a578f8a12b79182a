"""Functions that a configuration names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from esclusa.connectors.named import function_named, is_name


def test_a_function_is_found_by_its_name() -> None:
    assert function_named(" json:dumps ") is json.dumps
    assert function_named("json:JSONDecoder.decode") is json.JSONDecoder.decode


@pytest.mark.parametrize("text", ["json", "json:", ":dumps", "json:du mps", "json.dumps", "a:b:c", "../a:b"])
def test_what_is_no_name_is_said(text: str) -> None:
    assert not is_name(text)
    with pytest.raises(ValueError, match=r"no package\.module:function"):
        function_named(text)


@pytest.mark.parametrize(("text", "words"), [("json:absent", "has no function"), ("no_such:f", "can't be imported")])
def test_what_is_not_there_is_said(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        function_named(text)


def test_a_module_that_ends_the_program_while_it_is_imported_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "quits_at_once.py").write_text("import sys\nsys.exit(3)", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ValueError, match=r"the module quits_at_once can't be imported \(SystemExit: 3\)"):
        function_named("quits_at_once:f")

"""Functions that a configuration names."""

from __future__ import annotations

import asyncio
import inspect
import json
from pathlib import Path

import pytest

from esclusa.connectors.named import function_named, is_name


def test_a_function_is_found_by_its_name() -> None:
    assert function_named(" json:dumps ")({"a": 1}) == '{"a": 1}'
    assert function_named("json:JSONDecoder.decode")(json.JSONDecoder(), "[1]") == [1]
    assert inspect.iscoroutinefunction(function_named("asyncio:sleep"))
    assert not inspect.iscoroutinefunction(function_named("json:dumps"))


async def test_what_ends_the_program_ends_its_call_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def leaves() -> None:
        raise SystemExit(3)

    monkeypatch.setattr(json, "leaves", leaves, raising=False)

    def interrupts() -> None:
        raise KeyboardInterrupt

    async def cancelled() -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(json, "interrupts", interrupts, raising=False)
    monkeypatch.setattr(json, "cancelled", cancelled, raising=False)
    with pytest.raises(RuntimeError, match="it ended with SystemExit"):
        function_named("sys:exit")(3)
    with pytest.raises(RuntimeError, match="it ended with KeyboardInterrupt"):
        function_named("json:interrupts")()
    with pytest.raises(RuntimeError, match="it ended with SystemExit"):
        await function_named("json:leaves")()
    with pytest.raises(asyncio.CancelledError):
        await function_named("json:cancelled")()


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

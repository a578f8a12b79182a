"""Exit codes are a contract with shells."""

from __future__ import annotations

from esclusa.cli.exits import MEANINGS, Exit


def test_they_never_change() -> None:
    assert {code.name: code.value for code in Exit} == {
        "DONE": 0,
        "FAILED": 1,
        "MISTAKE": 2,
        "UNREACHABLE": 3,
        "REFUSED": 4,
        "INCOMPLETE": 5,
        "INTERRUPTED": 130,
    }


def test_each_has_its_meaning() -> None:
    assert list(MEANINGS) == list(Exit)

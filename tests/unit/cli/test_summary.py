"""A back end's data in one line."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from esclusa.cli.summary import one_line


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (
            [{"label": "Permiso B", "value": "12 puntos", "date": None, "state": ""}, {"label": "Otro"}],
            "Permiso B, 12 puntos (and 1 more)",
        ),
        ({"plate": "1234 ABC", "points": 12, "valid": True, "owners": []}, "1234 ABC, points: 12, valid: yes"),
        ({"points": 0, "valid": False}, "points: 0, valid: no"),
        ({"a": {"b": {"c": {"d": 1}}}}, "a: b: c: ..."),
        ([], "nothing"),
        ({}, "nothing"),
        (None, "nothing"),
        ([[1, 2], [3]], "1 (and 1 more) (and 1 more)"),
        ("text", "text"),
        (3.5, "3.5"),
        ("\x1b[2Jx\ny", "\\x1b[2Jx y"),
    ],
)
def test_it_tells_enough_to_recognise_them(data: Any, line: str) -> None:
    assert one_line(msgspec.json.encode(data)) == line


def test_it_is_short_however_much_there_is() -> None:
    assert len(one_line(msgspec.json.encode(["x" * 100_000]))) == 200


def test_what_is_nested_too_deep_to_be_read_is_not() -> None:
    assert one_line(b"[" * 100_000 + b"]" * 100_000) == "..."

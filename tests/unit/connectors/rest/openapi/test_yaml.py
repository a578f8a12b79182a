"""YAML by the schema of JSON, and what bombs do: nothing."""

from __future__ import annotations

from typing import Any

import pytest

from esclusa.connectors.rest.openapi import yaml
from esclusa.connectors.rest.openapi.yaml import composed


@pytest.mark.parametrize(
    ("document", "value"),
    [
        (
            "a: no\nb: 2026-01-31\nc: 1e3\nd: 0x10\ne: ~\nf: -7\n",
            {"a": "no", "b": "2026-01-31", "c": 1000.0, "d": "0x10", "e": None, "f": -7},
        ),
        ("200: ok\n'x y': \"1\"", {"200": "ok", "x y": "1"}),
        ("- &a {x: 1}\n- *a\n- &b text\n- *b", [{"x": 1}, {"x": 1}, "text", "text"]),
        ("<<: {a: 1}", {"<<": {"a": 1}}),
        ("a: |\n  two\n  lines\n", {"a": "two\nlines\n"}),
        ("1\n---\n2", 1),
        ("", None),
        ("!!python/object/apply:os.system [true]", [True]),
    ],
)
def test_it_is_read_as_json_would_be(document: str, value: Any) -> None:
    assert composed(document.encode()) == value


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"&a [*a]", "an alias stands for nothing, or for what it is in, in line 1"),
        (b"*a", "an alias stands for nothing|a mistake"),
        (b"? [a]\n: b", "a key is no text, in line 2|a key is no text, in line 1"),
        (b"[" * 200_000, "it has more than 100 levels"),
        (b"a: \xff\xfe", "a mistake|charset"),
        (b"a: b: c", "a mistake in line 1"),
    ],
)
def test_what_can_not_be_read_is_told(document: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        composed(document)


def test_a_bomb_of_aliases_takes_no_room() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    assert len(composed("\n".join(lines).encode())) == 40


def test_its_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "LARGEST", 3)
    with pytest.raises(ValueError, match="it is larger than"):
        composed(b"a: 1")

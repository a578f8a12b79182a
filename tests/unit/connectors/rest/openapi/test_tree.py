"""JSON or YAML, and looks into it that never fail."""

from __future__ import annotations

import pytest

from esclusa.connectors.rest.openapi import tree
from esclusa.connectors.rest.openapi.tree import listed, parsed, table, text


def test_json_and_yaml_are_the_same() -> None:
    assert parsed(b'{"a": [1, true, null, "x"]}', "x") == parsed(b"a: [1, true, null, x]", "x")


@pytest.mark.parametrize("document", [b'{"a": 1', b"[" * 100_000, b'{"a": \xff}'])
def test_what_begins_as_json_and_is_none_is_told_as_that(document: bytes) -> None:
    with pytest.raises(ValueError, match=r"^x\.json is no JSON that can be read: "):
        parsed(document, "x.json")


def test_without_its_package_yaml_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r'pip install "esclusa\[yaml\]"'):
        parsed(b"a: 1", "x.yaml")


def test_a_mistake_in_yaml_is_told_with_its_line() -> None:
    with pytest.raises(ValueError, match=r"^x\.yaml is neither JSON nor YAML that can be read: a mistake in line 2"):
        parsed(b"a: 1\n\tb: 2", "x.yaml")


@pytest.mark.parametrize("node", [None, 1, "a", [], {}, {"a": 1}, {"a": None}])
def test_what_is_not_there_is_empty(node: object) -> None:
    assert (table(node, "a"), listed(node, "a"), text(node, "a")) == ({}, [], "")


def test_what_is_there_is_found() -> None:
    node = {"t": {"a": 1}, "l": [1], "s": "x"}
    assert (table(node, "t"), listed(node, "l"), text(node, "s")) == ({"a": 1}, [1], "x")

"""A configuration as it is written: every value knows where it stands, whatever is laid over it."""

from __future__ import annotations

import tomllib

import pytest

from esclusa.config.findings import Place
from esclusa.config.tree import SHOWN, Node, overlay, parse

TEXT = """
[connectors.dgt]
url = "https://dgt.example/"
tags = [
    "state",
    "fast",
]
retry = { attempts = 2 }

[queries.q]
ttl = "60s"
"""


def at(line: int) -> Place:
    return Place("esclusa.toml", line)


@pytest.fixture
def root() -> Node:
    return parse(TEXT, "esclusa.toml")


def plain(node: Node) -> object:
    """The value without its places."""
    if isinstance(node.value, dict):
        return {name: plain(below) for name, below in node.value.items()}
    if isinstance(node.value, list):
        return [plain(below) for below in node.value]
    return node.value


def test_it_says_what_tomllib_says(root: Node) -> None:
    assert plain(root) == tomllib.loads(TEXT)


def test_what_is_no_toml_is_told_as_tomllib_tells_it() -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        parse("a = ", "esclusa.toml")


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("connectors", "dgt", "url"), "https://dgt.example/", 3),
        (("connectors", "dgt", "tags", 1), "fast", 6),
        (("connectors", "dgt", "retry", "attempts"), 2, 8),
        (("queries", "q", "ttl"), "60s", 11),
    ],
)
def test_everything_is_found_where_it_stands(root: Node, path: tuple[str | int, ...], value: object, line: int) -> None:
    found = root.find(*path)
    assert found is not None
    assert (found.value, found.place, root.where(*path)) == (value, at(line), at(line))


@pytest.mark.parametrize(
    "path", [("hub",), ("connectors", "dgt", "tags", 2), ("connectors", "dgt", "url", "x"), ("queries", "q", "ttl", 0)]
)
def test_what_is_not_written_is_not_found(root: Node, path: tuple[str | int, ...]) -> None:
    assert root.find(*path) is None


def test_what_is_absent_is_looked_for_in_the_nearest_that_is_written(root: Node) -> None:
    assert root.where("connectors", "dgt", "timeout") == at(2)
    assert root.where("connectors", "dgt", "retry", "first") == at(8)
    assert root.where("hub", "settle") == root.place


def test_a_table_that_is_none_is_empty(root: Node) -> None:
    assert list(root.table("connectors", "dgt")) == ["url", "tags", "retry"]
    assert list(root.table()) == ["connectors", "queries"]
    assert root.table("hub") == {}
    assert root.table("connectors", "dgt", "url") == {}


def test_every_string_is_met_once(root: Node) -> None:
    assert [(node.value, node.place.line) for node in root.strings()] == [
        ("https://dgt.example/", 3),
        ("state", 5),
        ("fast", 6),
        ("60s", 11),
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a", '"a"'),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        ({}, "a table"),
        ([], "a list"),
        ("x" * SHOWN, '"' + "x" * SHOWN + '"'),
        ("x" * (SHOWN + 1), '"' + "x" * (SHOWN - 3) + '..."'),
    ],
)
def test_a_value_is_shown_in_a_few_words(value: object, shown: str) -> None:
    assert Node(at(1), value).shown() == shown


def test_what_the_environment_has_put_in_is_never_shown() -> None:
    assert Node(at(1), "s3cret", written="${KEY}").shown() == '"${KEY}"'


def test_what_is_laid_over_joins_tables_and_keeps_each_line() -> None:
    base = parse('url = "a"\nretry = { attempts = 2, first = "1s" }\ntags = ["x", "y"]', "base.toml")
    over = parse('\n\nurl = "b"\nretry = { attempts = 3 }\ntags = ["z"]\ntitle = "t"', "over.toml")
    joined = overlay(base, over)
    assert plain(joined) == {"url": "b", "retry": {"attempts": 3, "first": "1s"}, "tags": ["z"], "title": "t"}
    assert joined.where("url") == Place("over.toml", 3)
    assert joined.where("retry", "attempts") == Place("over.toml", 4)
    assert joined.where("retry", "first") == Place("base.toml", 2)
    assert plain(base) == {"url": "a", "retry": {"attempts": 2, "first": "1s"}, "tags": ["x", "y"]}, "the base is as it was"


def test_a_table_and_what_is_none_are_not_joined() -> None:
    base, over = parse("a = { b = 1 }", "base.toml"), parse("a = 2", "over.toml")
    assert plain(overlay(base, over)) == {"a": 2}
    assert plain(overlay(over, base)) == {"a": {"b": 1}}

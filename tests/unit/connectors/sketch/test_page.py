"""TOML with comments: whatever is put into it stays where it is put."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esclusa.connectors.sketch.page import Page, as_template, as_text, visible
from esclusa.connectors.template import Template, verbatim

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40) | st.sampled_from(
    ['"', "\\", '\n[x]\na = 1 # "', "\r", "\x00", "\u2028", "\u202e", "\x7f", "${A}", "{subject}", "'''", "\ud800"]
)
VALUES: Any = st.recursive(
    ANY_TEXT | st.booleans() | st.integers(-(2**60), 2**60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)


def readable(value: Any) -> Any:
    """`value` as a text of Unicode can have it."""
    if isinstance(value, str):
        return "".join("\N{REPLACEMENT CHARACTER}" if "\ud800" <= char <= "\udfff" else char for char in value)
    if isinstance(value, list):
        return [readable(each) for each in value]
    return {readable(name): readable(each) for name, each in value.items()} if isinstance(value, dict) else value


@given(ANY_TEXT, VALUES, ANY_TEXT, ANY_TEXT)
def test_nothing_breaks_out_of_its_string_or_comment(key: str, value: Any, why: str, remark: str) -> None:
    page = Page()
    page.remark(remark)
    page.line(remark)
    page.entry("off", value, why, off=True)
    page.table("a", key)
    page.entry(key, value, why)
    text = page.text()
    assert tomllib.loads(text) == {"a": {readable(key): {readable(key): readable(value)}}}
    text.encode()


@given(ANY_TEXT)
def test_a_comment_is_one_line_in_which_all_can_be_seen(text: str) -> None:
    shown = visible(text * 20)
    assert shown.isprintable()
    assert len(shown) <= 300


@given(st.text(st.sampled_from("ab${}A-:"), max_size=20))
def test_a_template_has_no_placeholder_or_variable_that_the_description_wrote(text: str) -> None:
    assert as_text(text).replace("$$", "") == text.replace("$", "")
    assert Template(as_template(text).replace("$$", "$"), verbatim).constant == text


@pytest.mark.parametrize(
    ("value", "written"),
    [(True, "true"), (1.5, "1.5"), ([], "[]"), ({}, "{}"), ({"a b": ["c"]}, '{ "a b" = ["c"] }')],
)
def test_values_are_written_in_one_line(value: Any, written: str) -> None:
    page = Page()
    page.entry("x", value, "why")
    assert page.text() == f"x = {written}   # why\n"

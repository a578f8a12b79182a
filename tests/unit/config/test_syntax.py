"""What is not TOML is said in words, on its line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Mistakes = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[server]\nlisten = 127.0.0.1:8080\n", "2: something follows the value: one key = value a line"),
        ("[server]\n\nlisten = localhost\n", "3: no value, or none that TOML knows: put text between quotes"),
        ("[server]\nlisten\n", '2: no "=" after the key: write key = value'),
        ("[server]\nlisten = 'x\n", "2: the text goes on past its line: write the closing quote, or ''' around several lines"),
        ('[server]\nlisten = "x\n', '2: the text goes on past its line: write the closing quote, or """ around several lines'),
        ('[server]\nlisten = "C:\\path"\n', "2: a backslash by itself: double it, or put the text between single quotes"),
        ("[server]\nlisten = 'a'\nlisten = 'b'\n", "3: this key or table stands twice: keep one of them"),
        ("[connectors.dgt]\n[server]\n[connectors.dgt]\n", "3: [connectors.dgt] stands twice: keep one of them"),
        ("[server\n", '1: the table\'s name stops without "]": close it, or quote what is no plain letter'),
        ("[esclusa]\ninclude = [\n'a'\n\n\n", '3: the list is not closed: write "]"'),
        ("x = { a = 1, a = 2 }", "1: not TOML: duplicate inline table key 'a'"),
    ],
)
def test_it_is_on_its_line_with_the_remedy(mistakes: Mistakes, text: str, what: str) -> None:
    assert mistakes(text) == [f"esclusa.toml:{what}"]

"""The scanner finds what tomllib finds, and says where it is."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esclusa.config.lines import Key, positions

NASTY = [
    "plain",
    "",
    "a # b",
    "[x]",
    "k = 1",
    'quo"te',
    "it's",
    "back\\slash",
    "}, ]",
    "ñ€😀",
    "${HOME}",
    "two\nlines",
    'three """ quotes\n',
    "''' too",
    "\ttab\r\n[not.a.header]\n",
]
KEYS = st.sampled_from(["a", "b-1", "C_2", "3", "", "dotted.key", "with space", "ñ", 'quo"te', "it's", "#", "="])
SCALARS = st.one_of(
    st.integers(-(2**40), 2**40),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.times().map(lambda time: time.replace(microsecond=0)),
    st.datetimes().map(lambda moment: moment.replace(microsecond=0)),
    st.sampled_from(NASTY),
)
INLINE = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3), max_leaves=5
)
TABLES = st.recursive(
    st.dictionaries(KEYS, INLINE, max_size=4),
    lambda below: st.dictionaries(KEYS, INLINE | below | st.lists(below, min_size=1, max_size=3), max_size=4),
    max_leaves=12,
)


class _Writer:
    """Writes a document in ways drawn at random, and notes on which line each thing goes."""

    def __init__(self, choose: st.DataObject) -> None:
        self.text = ""
        self.noted: dict[Key, int] = {}
        self._choose = choose

    def pick(self, *among: Any) -> Any:
        return self._choose.draw(st.sampled_from(among))

    def maybe(self) -> bool:
        return self._choose.draw(st.booleans())

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1

    def document(self, table: dict[str, Any]) -> None:
        self.noise()
        self.table((), (), table)

    def noise(self) -> None:
        self.text += self.pick("", "", "\n", "# a comment\n", '   # [not.a.header] = """\n', "\r\n\t\n")

    def table(self, key: Key, names: tuple[str, ...], table: dict[str, Any]) -> None:
        below = {}
        for name, value in table.items():
            if (_is_table(value) or _is_tables(value)) and self.maybe():
                below[name] = value
            else:
                self.pair(key, name, value)
                self.text += self.pick("", "  ", ' # "x" = [') + "\n"
                self.noise()
        for name, value in below.items():
            inside, header = (*key, name), (*names, name)
            if isinstance(value, list):
                for place, element in enumerate(value):
                    self.note(inside)
                    self.note((*inside, place))
                    self.text += f"[[{self.names(header)}]]\n"
                    self.table((*inside, place), header, element)
            else:
                implied = value and all(_is_table(each) for each in value.values()) and self.maybe()
                if not implied:
                    self.note(inside, anew=True)
                    self.text += f"[{self.names(header)}]\n"
                    self.table(inside, header, value)
                else:
                    for deeper, each in value.items():
                        self.note(inside)
                        self.note((*inside, deeper), anew=True)
                        self.text += f"[{self.names((*header, deeper))}] # implied\n"
                        self.table((*inside, deeper), (*header, deeper), each)
                    if self.maybe():
                        self.note(inside, anew=True)
                        self.text += f"[{self.names(header)}]\n"

    def pair(self, key: Key, name: str, value: Any) -> None:
        """`name = value`, or, where the value is a table with something in it, perhaps `name.below = value`."""
        self.note((*key, name))
        self.text += self.pick("", " ", "\t") if self.text.endswith("\n") else ""
        self.text += self.name(name)
        while isinstance(value, dict) and len(value) == 1 and self.maybe():
            ((name_below, value),) = value.items()
            key, name = (*key, name), name_below
            self.note((*key, name))
            self.text += self.pick(".", " . ") + self.name(name)
        self.text += self.pick(" = ", "=")
        self.value((*key, name), value)

    def value(self, key: Key, value: Any) -> None:
        if isinstance(value, list):
            self.text += "["
            for place, element in enumerate(value):
                self.text += self.pick("", "\n", " # ]\n  ")
                self.note((*key, place))
                self.value((*key, place), element)
                last = place == len(value) - 1
                self.text += self.pick("", "\n") + ("," if not last or self.maybe() else "")
            self.text += self.pick("", "\n", " # [\n") + "]"
        elif isinstance(value, dict):
            self.text += "{ "
            for place, (name, below) in enumerate(value.items()):
                self.text += ", " if place else ""
                self.pair(key, name, below)
            self.text += " }"
        else:
            self.text += self.scalar(value)

    def scalar(self, value: Any) -> str:
        if isinstance(value, str):
            ways = [
                _basic(value),
                '"""' + _basic(value)[1:-1].replace("\\n", "\n") + '"""',
                '"""\\\n   ' + _basic(value)[1:] + '""',
            ]
            if not set(value) & set("'\n\r\t"):
                ways.append(f"'{value}'")
            if "'''" not in value and not value.endswith("'") and "\r" not in value:
                ways.append(f"'''\n{value}'''")
            return str(self.pick(*ways))
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return repr(value)
        return str(value.isoformat())

    def name(self, name: str) -> str:
        ways = [_basic(name)]
        if name and set(name) <= set("abC1234567890_-"):
            ways.append(name)
        if "'" not in name:
            ways.append(f"'{name}'")
        return str(self.pick(*ways))

    def names(self, names: tuple[str, ...]) -> str:
        return str(self.pick(".", " . ").join(self.name(name) for name in names).join(self.pick(("", ""), (" ", " "))))

    def note(self, key: Key, *, anew: bool = False) -> None:
        if anew:
            self.noted[key] = self.line
        else:
            self.noted.setdefault(key, self.line)


def _basic(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(element, dict) for element in value)


@settings(max_examples=150, deadline=None)
@given(TABLES, st.data())
def test_the_keys_are_those_of_tomllib_each_on_its_line(table: dict[str, Any], choose: st.DataObject) -> None:
    writer = _Writer(choose)
    writer.document(table)
    assert tomllib.loads(writer.text) == table, writer.text
    assert positions(writer.text) == writer.noted, writer.text
    assert set(writer.noted) == keys_of(table)


def keys_of(value: Any, key: Key = ()) -> set[Key]:
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {key} - {()} | {deeper for name, each in below for deeper in keys_of(each, (*key, name))}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("wanted = 1", 1),
        ("\n\r\n# wanted = 0\nwanted = 1", 4),
        ('other = """\nwanted = 0\n"""""\nwanted = 1', 4),
        ('other = """\n\\"""\nwanted = 0"""\nwanted = 1', 4),
        ("other = '''\nwanted = 0\n'''''\nwanted = 1", 4),
        ("other = 'C:\\'\nwanted = 1", 2),
        ("other = [ # ]\n  [1, 2,\n], ]\nwanted = 1", 4),
        ("other = 1979-05-27 07:32:00 # a date\nwanted = 1", 2),
        ('a.b . "c" = { d.e = "}" }\n"wan\\u0074ed" = 1', 2),
    ],
)
def test_neither_comments_nor_strings_nor_brackets_lead_astray(text: str, line: int) -> None:
    assert positions(text)[("wanted",)] == line


def test_a_header_reaches_into_the_last_table_of_an_array() -> None:
    text = "[[body]]\n[body.policy]\nretry = 1\n[[body]]\n[body.policy]\nretry = 2\n[[body.tag]]\nname = 3"
    lines = positions(text)
    assert lines[("body", 0, "policy", "retry")] == 3
    assert lines[("body", 1, "policy", "retry")] == 6
    assert lines[("body", 1, "tag", 0, "name")] == 8


def test_a_table_stands_where_its_header_is_even_if_one_below_it_comes_first() -> None:
    assert positions("[a.b]\n\n[a]\n")[("a",)] == 3
    assert positions("[a.b]\n")[("a",)] == 1

"""The files of a configuration: read, included, joined."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from esclusa.config.config import Configuration

Load = Callable[..., Configuration]
Mistakes = Callable[..., list[str]]

BODY = "[connectors.{0}]\nurl = 'https://{0}.example/'\n"


def test_files_and_patterns_are_included_from_the_folder_of_the_file(loaded: Load) -> None:
    settings = loaded(
        "[esclusa]\ninclude = ['one.toml', 'bodies/*.toml', '${MORE}']\n" + BODY.format("first"),
        environ={"MORE": "three.toml"},
        files={
            "one.toml": BODY.format("one"),
            "bodies/b.toml": BODY.format("b"),
            "bodies/a.toml": BODY.format("a"),
            "bodies/readme.md": "not for us",
            "three.toml": BODY.format("three"),
        },
    )
    assert list(settings.connectors) == ["first", "one", "a", "b", "three"]


def test_the_folder_of_a_file_given_by_its_path_counts_not_the_present_one(
    loaded: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from esclusa.config.config import load

    loaded("[esclusa]\ninclude = ['more.toml']\ndata = 'd'", files={"more.toml": BODY.format("more"), "else/where": ""})
    monkeypatch.chdir(tmp_path / "else")
    settings = load(Path("../esclusa.toml"), {})
    assert list(settings.connectors) == ["more"]
    assert Path(settings.esclusa.data).resolve() == tmp_path / "d"


def test_a_file_is_read_once_and_never_includes_itself(loaded: Load) -> None:
    settings = loaded("[esclusa]\ninclude = ['more.toml', '*.toml']", files={"more.toml": BODY.format("more")})
    assert list(settings.connectors) == ["more"]


def test_a_pattern_that_nothing_matches_includes_nothing(mistakes: Mistakes) -> None:
    assert mistakes("[esclusa]\ninclude = ['bodies/*.toml']") == []


def test_a_file_that_is_not_there_is_a_mistake_where_it_is_named(mistakes: Mistakes) -> None:
    assert mistakes("[esclusa]\ninclude = [\n  'none.toml',\n]") == [
        "esclusa.toml:3: none.toml can't be read: no such file: name a file that is there and can be read"
    ]


def test_what_is_neither_a_file_nor_a_pattern_is_a_mistake(mistakes: Mistakes) -> None:
    (found,) = mistakes("[esclusa]\ninclude = ['**x/*.toml']")
    assert found.startswith('esclusa.toml:2: esclusa.include has "**x/*.toml", which is neither a file nor a pattern: ')
    (found,) = mistakes('[esclusa]\ninclude = ["a\\u0000b"]')
    assert found.startswith("esclusa.toml:2: esclusa.include has ")


def test_the_same_table_in_two_files_is_a_mistake(mistakes: Mistakes) -> None:
    found = mistakes(
        "[esclusa]\ninclude = ['a.toml', 'b.toml']\n[server]\n" + BODY.format("dgt"),
        files={"a.toml": "[server]\n" + BODY.format("one"), "b.toml": BODY.format("one") + "\n" + BODY.format("dgt")},
    )
    assert found == [
        "a.toml:1: [server] stands in esclusa.toml:3 already: keep one of them",
        "b.toml:1: [connectors.one] stands in a.toml:2 already: keep one of them",
        "b.toml:4: [connectors.dgt] stands in esclusa.toml:4 already: keep one of them",
    ]


def test_an_included_file_does_not_say_what_the_process_stands_on(mistakes: Mistakes) -> None:
    (found,) = mistakes("[esclusa]\ninclude = ['a.toml']", files={"a.toml": "\n[esclusa]\nengine = 'memory'"})
    assert found == ("a.toml:2: [esclusa] can't stand in an included file: move its keys to the file that includes it")


def test_with_a_file_unread_nobody_is_called_unknown(mistakes: Mistakes) -> None:
    found = mistakes(
        "[esclusa]\ninclude = ['a.toml']\n[queries.q]\nconnectors = ['dgt']\nttl = 3",
        files={"a.toml": "[connectors.dgt\n"},
    )
    assert [mistake.split(": ")[0] for mistake in found] == ["esclusa.toml:5", "a.toml:1"]


def test_what_is_not_utf_8_is_a_mistake_on_its_line(mistakes: Mistakes, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"[server]\n# Direcci\xf3n\n")
    (found,) = mistakes("[esclusa]\ninclude = ['a.toml']")
    assert found == "a.toml:2: not UTF-8 text: save the file in that encoding"


def test_the_mark_that_some_editors_write_first_does_no_harm(mistakes: Mistakes) -> None:
    assert mistakes("\ufeff[server]\n") == []


def test_what_no_person_writes_is_refused_in_words(mistakes: Mistakes) -> None:
    deep, long = "x = " + "[" * 20_000, "x = " + "9" * 10_000
    for text in (deep, long):
        (found,) = mistakes(text)
        assert found == "esclusa.toml:1: tables too deep, or a number too long, for a configuration"

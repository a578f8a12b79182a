"""Mistakes in order, each once, and the nearest name."""

from __future__ import annotations

from esclusa.config.findings import Findings, Place, nearest


def test_they_come_in_the_order_of_files_and_lines_each_once() -> None:
    findings = Findings()
    findings.reading("b.toml")
    findings.reading("a.toml")
    for place in (Place("a.toml", 1), Place("b.toml", 9), Place("b.toml", 2), Place("b.toml", 9)):
        findings.add(place, "wrong")
    assert [str(mistake) for mistake in findings.mistakes()] == ["b.toml:2: wrong", "b.toml:9: wrong", "a.toml:1: wrong"]


def test_those_of_one_line_stay_in_the_order_in_which_they_were_found() -> None:
    findings = Findings()
    findings.reading("a.toml")
    for what in ("z", "a", "m"):
        findings.add(Place("a.toml", 1), what)
    assert [mistake.what for mistake in findings.mistakes()] == ["z", "a", "m"]


def test_each_is_one_line_whatever_it_quotes() -> None:
    findings = Findings()
    findings.reading("a.toml")
    findings.add(Place("a.toml", 1), 'can\'t be "one\r\ntwo\x85three\u2028"')
    assert findings.mistakes()[0].what == 'can\'t be "one two three "'


def test_the_nearest_name_is_proposed_whatever_its_case() -> None:
    assert nearest("TIMEOUT", ["timeout", "title"]) == 'did you mean "timeout"?'
    assert nearest("open_for", ["failures", "openFor"]) == 'did you mean "openFor"?'


def test_with_nothing_near_all_are_listed() -> None:
    assert nearest("zzz", ["a", "b"]) == 'there is "a", "b"'
    assert nearest("zzz", []) == "none is declared"

"""A call that was tried is shown so that it can be read."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from esclusa.cli.masking import Masking
from esclusa.cli.trial_view import TrialView
from esclusa.connectors.backend import Outcome
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.tap import Step
from esclusa.connectors.trial import Trial

SETTINGS = RestSettings(url="http://x")


def shown(body: str, *, whole: bool = False) -> list[str]:
    """The lines below the head of an answer with this body."""
    trial = Trial(1.0, 1.5, [Step("answer", 1.25, "200", body)], Outcome(data=b"1"), made_up=False, rests=())
    file = io.StringIO()
    TrialView("dgt", SETTINGS, 1000, trial, Masking(["s3creto"])).show(Console(file=file, width=200), whole=whole)
    head, *lines = file.getvalue().split("\n\n")[0].splitlines()
    assert head == "Answer      200  after 250 ms"
    return [line[12:] for line in lines]


def test_json_has_a_line_for_each_part() -> None:
    assert shown('{"a":[1],"b":"s3creto"}') == ["{", '  "a": [', "    1", "  ],", '  "b": "***"', "}"]


def test_xml_has_a_line_for_each_part_too() -> None:
    assert shown('<?xml version="1.0"?><e:a x="1"><b/><c>text</c><d>\n</d></e:a>') == [
        '<?xml version="1.0"?>',
        '<e:a x="1">',
        "  <b/>",
        "  <c>text</c>",
        "  <d>",
        "  </d>",
        "</e:a>",
    ]


@pytest.mark.parametrize("broken", ["<a><b", "<", "</a></b><c>", "<" * 50, '{"a": [1,'])
def test_what_is_broken_is_shown_as_it_is(broken: str) -> None:
    assert "".join(line.strip() for line in shown(broken)) == broken


def test_however_deep_xml_is_it_stays_on_the_screen() -> None:
    assert max(len(line) for line in shown("<a>" * 2000, whole=True)) < 100


def test_characters_that_control_are_shown_as_escapes() -> None:
    assert shown("\x02OK\x1b[2J\x03") == [r"\x02OK\x1b[2J\x03"]


def test_what_is_long_is_cut_unless_wanted_whole() -> None:
    assert shown("x" * 5000)[-1] == "... 904 characters more: --whole"
    assert sum(line.count("x") for line in shown("x" * 5000, whole=True)) == 5000


def test_of_nothing_there_is_no_line() -> None:
    assert shown("") == []

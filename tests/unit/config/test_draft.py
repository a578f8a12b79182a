"""A configuration that is being checked: a rule says what is wrong, the draft says where."""

from __future__ import annotations

import msgspec

from esclusa.config.draft import Draft
from esclusa.config.findings import Findings
from esclusa.config.settings import Configuration
from esclusa.config.tree import Node, parse


def draft(text: str) -> Draft:
    findings = Findings()
    findings.reading("esclusa.toml")
    return Draft(parse(text, "esclusa.toml"), Configuration(), findings)


def test_a_mistake_points_to_what_is_wrong_or_to_where_it_is_absent() -> None:
    checked = draft('\n[hub]\ndrain = "1s"\nskew = "-1s"\n')
    checked.wrong(("hub", "skew"), "hub.skew can't be negative")
    checked.wrong(("hub", "settle"), "hub.settle is needed")
    assert [str(mistake) for mistake in checked.findings.mistakes()] == [
        "esclusa.toml:2: hub.settle is needed",
        "esclusa.toml:4: hub.skew can't be negative",
    ]


def test_what_is_written_is_shown_and_what_is_not_is_nothing() -> None:
    checked = draft('[hub]\ndrain = "1s"')
    assert (checked.shown("hub", "drain"), checked.shown("hub", "skew")) == ('"1s"', "")


def test_given_is_what_is_written_and_known() -> None:
    checked = draft('[hub]\ndrain = "1s"\nskew = "${SKEW}"')
    hub = checked.root.value["hub"]
    unknown: Node = msgspec.structs.replace(hub.value["skew"], unknown=True)
    hub.value["skew"] = unknown
    assert checked.given("hub", "drain")
    assert not checked.given("hub", "skew"), "nobody knows its value, so nobody judges it"
    assert not checked.given("hub", "settle")

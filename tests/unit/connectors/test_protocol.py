"""What protocols are given to make back ends with."""

from __future__ import annotations

import pytest

from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.tap import Tap
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids

PLAIN, SHAPED = RestSettings(url="http://x"), RestSettings(url="http://x", transform="people[0]")


async def test_a_transform_is_what_the_settings_say_and_none_where_they_say_none() -> None:
    clock = Clock()
    workshop = Workshop(clock, Ids(clock), 1000, Contexts())
    assert workshop.transform(PLAIN) is None
    transform = workshop.transform(SHAPED)
    assert transform is not None
    assert transform(b'{"people": ["Ana"]}') == b'"Ana"'


async def test_where_a_call_is_looked_at_what_a_transform_makes_is_seen_and_why_it_can_not() -> None:
    clock = Clock()
    tap = Tap(clock)
    transform = Workshop(clock, Ids(clock), 1000, Contexts(), tap=tap).transform(SHAPED)
    assert transform is not None
    assert transform(b"{}") is None
    assert transform(b'{"persons": ["Ana"], "total": 1}') is None
    with pytest.raises(ValueError, match="truncated"):
        transform(b"{")
    assert [(step.kind, step.body) for step in tap.steps] == [
        ("transformed", "null"),
        ("transformed", "null"),
        ("untransformed", "{"),
    ]
    assert tap.steps[0].head == "", "there is nothing to doubt"
    assert tap.steps[1].head == "nothing, of an answer that has persons, total: is the path right?"
    assert "truncated" in tap.steps[2].head

"""Any instance goes on where a reader of events is (H8)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from esclusa.hub.cursor import event_id, parse_event_id

NAMES = [f"c{n}" for n in range(12)]


@given(st.lists(st.sampled_from(NAMES), unique=True, min_size=0), st.data(), st.booleans())
def test_an_event_id_says_what_the_reader_has(names: list[str], data: st.DataObject, final: bool) -> None:
    sent = data.draw(st.sets(st.sampled_from(names))) if names else set()
    assert parse_event_id(event_id(names, sent, final=final), names) == (sent, final)


@given(st.text())
def test_an_event_id_that_is_none_of_ours_counts_as_nothing(text: str) -> None:
    sent, _ = parse_event_id(text, NAMES)
    assert sent <= set(NAMES)

"""Every connector concerned stands exactly once, in `answers` or in `pending` (H2)."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from esclusa.connectors.backend import Reason
from esclusa.hub.pack import Pack, Recorded
from esclusa.hub.snapshot import Snapshot, compose, tag_of
from esclusa.hub.stored import AnswerHead, Times

TIMES = Times(1000, 60_000, 61_000, 601_000)
PACK = Pack("default/0/0", b"", 2, b"")
OK = Recorded(AnswerHead("a", None, "", 1, 20, 2), 1500, PACK, 0)
KO = Recorded(AnswerHead("b", Reason.BACKEND_ERROR, "It failed", 2, 30, 0), 1600, PACK, 2)
NAMES = [f"c{n}" for n in range(12)]


def shown(recorded: dict[str, Recorded], *, final: bool) -> Snapshot:
    return compose(
        UUID(int=1), "q", TIMES, ["a", "b", "c"], recorded,
        final=final, titles={"a": "Body A"}, retry_after=2000, data={"a": b"{}"},
    )  # fmt: skip


def test_a_provisional_snapshot_names_who_is_pending() -> None:
    snapshot = shown({"b": KO, "a": OK}, final=False)
    assert [(answer.connector, answer.title, answer.reason) for answer in snapshot.answers] == [
        ("a", "Body A", None),
        ("b", "b", Reason.BACKEND_ERROR),
    ]
    assert snapshot.pending == ["c"]
    assert snapshot.query_more
    assert not snapshot.complete
    assert snapshot.retry_after == 2000


def test_final_and_all_ok_is_complete() -> None:
    snapshot = shown({"a": OK, "b": OK, "c": OK}, final=True)
    assert (snapshot.query_more, snapshot.complete, snapshot.pending, snapshot.retry_after) == (False, True, [], 0)


def test_one_ko_is_final_and_not_complete() -> None:
    assert not shown({"a": OK, "b": KO, "c": OK}, final=True).complete


def test_who_has_not_answered_is_no_answer_for_ever() -> None:
    snapshot = shown({"a": OK, "b": OK}, final=True)
    last = snapshot.answers[2]
    assert (last.reason, last.attempts, last.elapsed, last.received, last.data) == (Reason.NO_ANSWER, 0, None, None, None)
    assert not snapshot.complete
    assert not snapshot.query_more


def test_nobody_concerned_is_final_and_complete_at_once() -> None:
    snapshot = compose(UUID(int=1), "q", TIMES, [], {}, final=True, titles={}, retry_after=1, data={})
    assert snapshot.complete
    assert not snapshot.query_more


@given(st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)), st.booleans())
def test_the_tag_differs_when_another_has_answered_or_it_is_final(one: set[str], two: set[str], final: bool) -> None:
    assert (tag_of(NAMES, one, final=final) == tag_of(NAMES, two, final=final)) == (one == two)
    assert tag_of(NAMES, one, final=True) != tag_of(NAMES, one, final=False)

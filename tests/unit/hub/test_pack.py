"""Answers travel and stand together; of several packs with an answer of one connector the first recorded wins."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from esclusa.hub import pack
from esclusa.hub.stored import AnswerHead, Answers
from esclusa.ports.records import Row

ID = b"0123456789abcdef"
EXPIRES = 601_000


def head(connector: str, attempts: int, size: int = 0) -> AnswerHead:
    return AnswerHead(connector, None, "", attempts, 20, size)


def row(offset: int, *heads: AnswerHead) -> Row:
    return pack.row("default", 3, offset, 1000 + offset, Answers(1, ID, EXPIRES, list(heads), b"sealed"))


def test_a_row_says_what_its_message_says_whoever_makes_it() -> None:
    one = row(7, head("a", 1))
    assert one == row(7, head("a", 1))
    assert (one.name, one.rank, one.expires, one.body) == ("default/3/7", 7, EXPIRES, b"sealed")


@given(st.permutations(range(12)))
def test_the_first_recorded_wins_in_whatever_order_rows_are_read(order: list[int]) -> None:
    rows = [row(offset, head("a", offset), head(f"b{offset % 3}", offset)) for offset in range(12)]
    found = pack.recorded(ID, [rows[place] for place in order])
    assert {name: answer.head.attempts for name, answer in found.items()} == {"a": 0, "b0": 0, "b1": 1, "b2": 2}
    assert found["b2"].received == 1002


def test_places_are_compared_as_numbers() -> None:
    found = pack.recorded(ID, [row(10, head("a", 10)), row(9, head("a", 9))])
    assert found["a"].head.attempts == 9


def test_each_answer_finds_its_own_data_in_its_pack() -> None:
    one = row(1, head("a", 1, 2), head("none", 1), head("b", 1, 3))
    two = row(2, head("a", 2, 1), head("c", 1, 4))
    found = pack.recorded(ID, [one, two])
    opened = {one.name: b"aabbb", two.name: b"xcccc"}
    assert {name: answer.data(opened) for name, answer in found.items()} == {
        "a": b"aa", "none": None, "b": b"bbb", "c": b"cccc"
    }  # fmt: skip
    assert found["c"].data({one.name: b"aabbb"}) is None, "its pack has not been opened"


def test_data_are_bound_to_whose_they_are() -> None:
    heads = [head("a", 1), head("b", 1)]
    assert pack.context(ID, heads) != pack.context(ID, heads[:1])
    assert pack.context(ID, heads) != pack.context(ID, [head("ab", 1)])
    assert pack.context(ID, heads) != pack.context(ID, heads[::-1])


def test_as_many_packs_are_read_together_as_there_is_room_for() -> None:
    rows = [row(offset, head(f"c{offset}", 1, 100), head(f"none{offset}", 1)) for offset in range(5)]
    found = pack.recorded(ID, rows)
    answers = [found[f"c{offset}"] for offset in (2, 0, 1, 3, 4)]
    assert pack.first_packs(answers, 300) == {rows[place].name for place in (2, 0, 1)}
    assert pack.first_packs(answers, 299) == {rows[place].name for place in (2, 0)}
    assert pack.first_packs(answers, 1) == {rows[2].name}, "at least one"
    assert pack.first_packs([found["none0"]], 1) == set(), "who has no data needs no reading"

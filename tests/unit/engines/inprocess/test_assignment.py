"""Which member has which partition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from esclusa.engines.inprocess.assignment import spread

MEMBERS = st.lists(st.integers(0, 9), unique=True, max_size=8)


def test_without_members_nothing_is_given() -> None:
    assert spread(4, [], {}) == {}


def test_a_single_member_has_everything() -> None:
    assert spread(3, ["a"], {}) == {0: "a", 1: "a", 2: "a"}


def test_who_joins_is_given_its_share_and_nothing_else_moves() -> None:
    held = {0: "a", 1: "a", 2: "a", 3: "a"}
    wanted = spread(4, ["a", "b"], held)
    assert wanted == {0: "a", 1: "a", 2: "b", 3: "b"}


def test_of_those_who_hold_as_much_the_eldest_has_the_larger_share() -> None:
    assert spread(3, ["a", "b"], {}) == {0: "a", 1: "a", 2: "b"}


@given(st.integers(0, 12), MEMBERS, st.dictionaries(st.integers(0, 15), st.integers(0, 9)))
def test_every_partition_is_given_evenly_with_as_few_moves_as_can_be(
    partitions: int, members: list[int], held: dict[int, int]
) -> None:
    wanted = spread(partitions, members, held)
    assert set(wanted) == (set(range(partitions)) if members else set())
    if not members:
        return
    shares = {member: [number for number in wanted if wanted[number] == member] for member in members}
    sizes = sorted(map(len, shares.values()))
    assert sizes[-1] - sizes[0] <= 1
    valid = {number: member for number, member in held.items() if number < partitions and member in members}
    moved = sum(wanted[number] != member for number, member in valid.items())
    assert moved == fewest_moves(partitions, members, valid)


def fewest_moves(partitions: int, members: list[int], held: dict[int, int]) -> int:
    """What must move: whatever is beyond the shares, the larger ones being given to those who hold most."""
    share, larger = divmod(partitions, len(members))
    holdings = sorted((list(held.values()).count(member) for member in members), reverse=True)
    return sum(max(0, holding - share - (place < larger)) for place, holding in enumerate(holdings))

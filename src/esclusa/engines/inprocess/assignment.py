"""Which member of a group has which partition: evenly, and with as few moves as can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

M = TypeVar("M")


def spread(partitions: int, members: Sequence[M], held: Mapping[int, M]) -> dict[int, M]:
    """A member for every one of `partitions`, none with two more than another; `held`: who has which at present.

    What a member holds it keeps, up to its share; the larger shares go to those who hold most, then to the eldest.
    `members` are in the order in which they joined.
    """
    if not members:
        return {}
    share, larger = divmod(partitions, len(members))
    kept: dict[M, list[int]] = {member: [] for member in members}
    for number in sorted(held):
        if number < partitions and held[number] in kept:
            kept[held[number]].append(number)
    by_holding = sorted(members, key=lambda member: -len(kept[member]))
    shares = {member: share + (place < larger) for place, member in enumerate(by_holding)}
    wanted = {number: member for member in members for number in kept[member][: shares[member]]}
    free = iter([number for number in range(partitions) if number not in wanted])
    for member in members:
        for _ in range(shares[member] - min(len(kept[member]), shares[member])):
            wanted[next(free)] = member
    return wanted

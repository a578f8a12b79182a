"""A consumer group of one topic: who is in it, who has which partition, and how far it has come.

A partition moves in two steps: its owner is told (`Revoked`) and stays the owner until it releases, leaves or the time
is over that it said it needs; only then is the partition given to the next one. What an owner hasn't seen yet is taken back
without a word.
"""

from __future__ import annotations

from asyncio import TimerHandle
from collections.abc import Mapping, Sequence
from typing import Protocol

from esclusa.engines.inprocess.assignment import spread
from esclusa.engines.inprocess.partition import Partition, Reader
from esclusa.kernel.clock import Clock


class Claim:
    """One member's hold on one partition, from its being given to its end."""

    __slots__ = ("group", "held", "member", "partition", "position", "revoking", "seen", "timer")

    def __init__(self, group: Group, member: Member, partition: Partition) -> None:
        self.group = group
        self.member = member
        self.partition = partition
        self.position = 0
        """The next message to hand out; set when the member sees its `Assigned`."""
        self.seen = False
        """The member has received its `Assigned`."""
        self.revoking = False
        self.held = True
        """Still this member's: its commits count."""
        self.timer: TimerHandle | None = None


class Member(Reader, Protocol):
    """A subscription, as its group sees it."""

    clock: Clock
    limit: float
    """Seconds that it has between `Revoked` and its release."""

    def given(self, claim: Claim) -> None:
        """A partition is this member's from now on."""

    def told(self, claim: Claim) -> None:
        """Something about `claim` has changed that the member must hear of."""

    def taken(self, claim: Claim) -> None:
        """`claim` is over, and the member needs not hear of it."""


class Group:
    """The members of one group on one topic. `committed`: by the number of the partition."""

    def __init__(self, name: str, partitions: Sequence[Partition], committed: Mapping[int, int] | None = None) -> None:
        self.name = name
        self.partitions = partitions
        self._committed = dict(committed or {})
        self._members: list[Member] = []
        self._claims: dict[int, Claim] = {}

    @property
    def members(self) -> Sequence[Member]:
        """Who is in the group, in the order of joining."""
        return self._members

    def committed(self, number: int) -> int:
        """Where partition `number` goes on: what was committed, or the earliest message kept."""
        return max(self._committed.get(number, 0), self.partitions[number].start)

    def advance(self, number: int, position: int) -> None:
        """Everything of partition `number` below `position` is done with, durably. It never goes back."""
        if position > self._committed.get(number, 0):
            self._committed[number] = position

    def join(self, member: Member) -> None:
        """Take `member` in, and give it its share as soon as others have let go."""
        self._members.append(member)
        self.balance()

    def leave(self, member: Member) -> None:
        """Give what `member` has to the others, now."""
        if member not in self._members:
            return
        self._members.remove(member)
        for claim in [claim for claim in self._claims.values() if claim.member is member]:
            self._end(claim)
            member.taken(claim)
        self.balance()

    def release(self, claim: Claim) -> None:
        """The owner has let go."""
        if claim.held:
            self._end(claim)
            claim.member.taken(claim)
            self.balance()

    def balance(self) -> None:
        """Give out what is free, and take back what is beyond a member's share."""
        held = {number: claim.member for number, claim in self._claims.items() if not claim.revoking}
        for number, member in spread(len(self.partitions), self._members, held).items():
            claim = self._claims.get(number)
            if claim is not None and claim.member is not member and not claim.revoking:
                if claim.seen:
                    self._revoke(claim)
                else:
                    self._end(claim)
                    claim.member.taken(claim)
                    claim = None
            if claim is None:
                claim = self._claims[number] = Claim(self, member, self.partitions[number])
                member.given(claim)

    def _revoke(self, claim: Claim) -> None:
        clock = claim.member.clock
        claim.revoking = True
        claim.timer = clock.call_at(clock.now() + claim.member.limit, self._lose, claim)
        claim.member.told(claim)

    def _lose(self, claim: Claim) -> None:
        self._end(claim)
        claim.member.told(claim)
        self.balance()

    def _end(self, claim: Claim) -> None:
        claim.held = False
        if claim.timer is not None:
            claim.timer.cancel()
        if self._claims.get(claim.partition.number) is claim:
            del self._claims[claim.partition.number]

"""A member of a group, with a group that hangs or refuses: what servers do to it only at times that nobody can choose."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import pytest

from esclusa.engines.kafka.admin import Admin
from esclusa.engines.kafka.fetcher import Fetcher
from esclusa.engines.kafka.inbox import Inbox
from esclusa.engines.kafka.membership import Letting, Membership
from esclusa.engines.kafka.subscription import Claim, GroupMember
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed
from esclusa.kernel.message import Message
from esclusa.ports.log import Assigned, Delivered, Revoked

pytestmark = pytest.mark.virtual_time

RELEASE = 10.0
END = 8


class Brokers:
    """Stands in for the administration, the fetching and the group: nothing is answered but where partitions begin and end."""

    def __init__(self) -> None:
        self.commits: list[tuple[Mapping[int, int], concurrent.futures.Future[dict[int, int]]]] = []
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended.set_result(None)

    async def offsets(self, _: str, numbers: Iterable[int], spec: object) -> dict[int, int]:
        del spec
        return dict.fromkeys(numbers, END)

    def committed(self, numbers: Sequence[int]) -> concurrent.futures.Future[dict[int, int]]:
        answer: concurrent.futures.Future[dict[int, int]] = concurrent.futures.Future()
        answer.set_result(dict.fromkeys(numbers, END))
        return answer

    def commit(self, positions: Mapping[int, int]) -> concurrent.futures.Future[dict[int, int]]:
        answer: concurrent.futures.Future[dict[int, int]] = concurrent.futures.Future()
        self.commits.append((positions, answer))
        return answer

    def start(self, *_: Any) -> None:
        """Fetch nothing."""

    stop = taken = start

    def close(self) -> None:
        """Nothing is open."""


class Scene:
    """A member, and the group that it is in."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.brokers = Brokers()
        self.inbox: Inbox[Claim] | None = None
        self.member = GroupMember(
            "topic", cast("Admin", self.brokers), self.clock, RELEASE, self._fetcher, lambda _: cast("Membership", self.brokers)
        )

    def _fetcher(self, inbox: Inbox[Claim]) -> Fetcher[Claim]:
        self.inbox = inbox
        return cast("Fetcher[Claim]", self.brokers)

    async def given(self) -> None:
        """Partition 0 is the member's."""
        self.member.given([0])
        assert await self.member.receive() == Assigned(0, END, END)

    async def revoked(self) -> Letting:
        """Partition 0 is being taken away."""
        letting = Letting([0], lambda: None)
        self.member.revoked([0], letting)
        assert await self.member.receive() == Revoked(0)
        return letting


async def test_a_commit_that_hangs_ends_with_the_time_to_release() -> None:
    scene = Scene()
    await scene.given()
    commit = scene.member.commit(0, END + 1)
    letting = await scene.revoked()
    before = scene.clock.now()
    assert await scene.member.receive() == Revoked(0, lost=True)
    assert scene.clock.now() - before == pytest.approx(RELEASE)
    assert not letting.open
    assert commit.done(), "who waits for it would release the partition when it is given again"
    await scene.given()
    later = scene.member.commit(0, END + 2)
    assert not later.done()
    scene.member.kill()


async def test_a_commit_that_hangs_ends_when_its_partition_is_lost() -> None:
    scene = Scene()
    await scene.given()
    commits = [scene.member.commit(0, END + 1)]
    await scene.clock.sleep(0.1)
    commits.append(scene.member.commit(0, END + 2))
    scene.member.lost([0])
    assert await scene.member.receive() == Revoked(0, lost=True)
    assert all(commit.done() and commit.exception() is None for commit in commits), "it is ignored"
    scene.member.kill()


async def test_a_commit_that_was_begun_for_a_former_hold_says_nothing_of_the_present_one() -> None:
    scene = Scene()
    await scene.given()
    scene.member.commit(0, END + 5)
    await scene.clock.sleep(0.1)
    scene.member.lost([0])
    assert await scene.member.receive() == Revoked(0, lost=True)
    await scene.given()
    later = scene.member.commit(0, END + 1)
    positions, answer = scene.brokers.commits.pop()
    assert positions == {0: END + 5}
    answer.set_result({})
    await scene.clock.sleep(0.1)
    assert not later.done()
    positions, answer = scene.brokers.commits.pop()
    assert positions == {0: END + 1}
    answer.set_result({})
    await later
    scene.member.kill()


async def test_a_killed_member_says_of_no_commit_that_it_was_done() -> None:
    scene = Scene()
    await scene.given()
    begun = scene.member.commit(0, END + 1)
    await scene.clock.sleep(0.1)
    pending = scene.member.commit(0, END + 2)
    scene.member.kill()
    for commit in (begun, pending):
        with pytest.raises(Closed):
            await commit


async def test_what_came_for_a_hold_that_has_ended_is_not_delivered() -> None:
    scene = Scene()
    await scene.given()
    assert scene.inbox is not None
    claim = scene.member._claims[0]
    scene.inbox.came([(claim, [Message(END, 0, b"", b"")], 1)])
    scene.member.lost([0])
    assert await scene.member.receive() == Revoked(0, lost=True)
    waiting = asyncio.ensure_future(scene.member.receive())
    await scene.clock.sleep(1)
    assert not waiting.done()
    scene.member.kill()
    with pytest.raises(Closed):
        await waiting


async def test_what_was_handed_out_does_not_come_again_though_it_is_fetched_again() -> None:
    """A client begins from the front where a broker has fewer messages: it was the leader, and has not heard of the last."""
    scene = Scene()
    await scene.given()
    claim = scene.member._claims[0]

    def fetched(*offsets: int) -> None:
        assert scene.inbox is not None
        scene.inbox.came([(claim, [Message(offset, 0, b"", b"") for offset in offsets], 1)])

    for batch in ((END, END + 1), (0, 1), (2, END), (END + 1, END + 2)):
        fetched(*batch)
    came = [await scene.member.receive(), await scene.member.receive()]
    assert [[message.offset for message in cast("Delivered", event).messages] for event in came] == [[END, END + 1], [END + 2]]
    scene.member.kill()

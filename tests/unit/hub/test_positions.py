"""The position to commit is the lowest message that is not done with."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esclusa.hub.positions import Committer, OwnedPartition, Tracker
from esclusa.kernel.clock import Clock
from esclusa.ports.log import Assigned, Subscription
from support.sink import Sink


def test_position_starts_where_the_partition_was_committed() -> None:
    assert Tracker(7).position == 7


def test_out_of_order_completion_commits_the_lowest_unfinished() -> None:
    tracker = Tracker(0)
    for offset in (0, 1, 2):
        tracker.take(offset)
    tracker.finish(2)
    tracker.finish(1)
    assert tracker.position == 0
    tracker.finish(0)
    assert tracker.position == 3


def test_a_message_held_twice_is_finished_twice() -> None:
    tracker = Tracker(0)
    tracker.take(0)
    tracker.hold(0)
    tracker.finish(0)
    assert tracker.position == 0
    tracker.finish(0)
    assert tracker.position == 1


@given(st.data())
def test_position_never_passes_an_open_message_and_never_goes_back(data: st.DataObject) -> None:
    offsets = sorted(data.draw(st.sets(st.integers(5, 60), max_size=20)))
    tracker, unfinished, last = Tracker(5), set[int](), 5
    todo = list(offsets)
    while todo or unfinished:
        if todo and (not unfinished or data.draw(st.booleans())):
            offset = todo.pop(0)
            tracker.take(offset)
            unfinished.add(offset)
        else:
            offset = data.draw(st.sampled_from(sorted(unfinished)))
            tracker.finish(offset)
            unfinished.discard(offset)
        assert tracker.position >= last
        assert all(tracker.position <= offset for offset in unfinished)
        last = tracker.position
    assert tracker.position == (offsets[-1] + 1 if offsets else 5)


class Hung:
    """A subscription whose commits never end."""

    def __init__(self) -> None:
        self.commits: list[asyncio.Future[None]] = []

    def commit(self, *_: int) -> asyncio.Future[None]:
        self.commits.append(asyncio.get_running_loop().create_future())
        return self.commits[-1]


@pytest.mark.virtual_time
async def test_a_last_commit_that_does_not_end_keeps_nobody_waiting() -> None:
    clock, logged, hung = Clock(), Sink(), Hung()
    partition = OwnedPartition(Assigned(0, 0, 0))
    committer = Committer("requests.default", {}, clock, logged.instrument())
    begun = clock.now()
    await committer.last(cast("Subscription", hung), partition)
    assert clock.now() - begun == pytest.approx(3, abs=0.01)
    hung.commits[0].set_exception(TimeoutError("too late"))
    await asyncio.sleep(0.01)
    assert [event for _, event, _ in logged] == ["last position not committed in time", "position not committed, again"]

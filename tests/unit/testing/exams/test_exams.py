"""The exams can fail: an engine that breaks one promise is found out, by the test that names it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from esclusa.engines.inprocess import group, subscription, writer
from esclusa.engines.inprocess.group import Group
from esclusa.engines.inprocess.partition import Partition
from esclusa.engines.memory import MemoryEngine, World
from esclusa.engines.memory.installation import MemoryInstallation
from esclusa.engines.memory.keys import MemoryKeys
from esclusa.engines.memory.upkeep import MemoryUpkeep
from esclusa.kernel.clock import Clock
from esclusa.ports.installation import Finding
from esclusa.ports.log import RELEASE, Delivered, Event, Topic, partition_of
from esclusa.ports.records import Row
from esclusa.ports.upkeep import Made
from esclusa.testing.exams import Features, KeysExam, LogExam, RecordsExam, UpkeepExam

pytestmark = pytest.mark.virtual_time
Patch = pytest.MonkeyPatch


class Shared:
    """Processes on one memory; `features`: what is declared of them, true or not."""

    def __init__(self, features: Features) -> None:
        self.features = features
        self._world = World()

    async def process(self, clock: Clock) -> MemoryEngine:
        """One more process."""
        return MemoryEngine(clock, self._world)


def deployed(exam: Any, features: Features) -> Any:
    """The `exam` of a memory that is said to have `features`."""

    @asynccontextmanager
    async def deployment() -> AsyncIterator[Shared]:
        yield Shared(features)

    return type("Examined", (exam,), {"deployment": staticmethod(deployment)})()


HONEST = Features(durable=True, processes=True)


def last_wins(patch: Patch) -> None:
    def put(self: World, key: bytes, rows: Sequence[Row], now: int) -> None:
        for row in rows:
            self._set(key, row, None)
        del now

    patch.setattr(World, "put", put)


def no_tombstones(patch: Patch) -> None:
    patch.setattr(World, "forget", lambda self, key, *_: self._rows.pop(key, None))


def add_overwrites(patch: Patch) -> None:
    def add(self: World, key: bytes, row: Row, now: int) -> Row:
        del now
        self._set(key, row, None)
        return row

    patch.setattr(World, "add", add)


def keys_live_for_ever(patch: Patch) -> None:
    patch.setattr(MemoryKeys, "_closed", False, raising=False)
    patch.setattr(Clock, "millis", lambda _: 0)


def positions_go_back(patch: Patch) -> None:
    def advance(self: Group, number: int, position: int) -> None:
        self._committed[number] = position

    patch.setattr(Group, "advance", advance)


def new_groups_start_at_the_end(patch: Patch) -> None:
    patch.setattr(Group, "committed", lambda self, number: self._committed.get(number, self.partitions[number].end))


def nothing_is_ever_lost(patch: Patch) -> None:
    patch.setattr(Group, "_lose", lambda *_: None)


def everybody_has_the_same_time(patch: Patch) -> None:
    original = Group._revoke

    def revoke(self: Group, claim: group.Claim) -> None:
        claim.member.limit = RELEASE
        original(self, claim)

    patch.setattr(Group, "_revoke", revoke)


def pause_is_not_heard(patch: Patch) -> None:
    patch.setattr(subscription.GroupMember, "pause", lambda *_, **__: None)


def pause_stops_everything(patch: Patch) -> None:
    original = subscription.GroupMember._next
    patch.setattr(subscription.GroupMember, "_next", lambda self: None if self._paused else original(self))


def pause_throws_away(patch: Patch) -> None:
    original = subscription.GroupMember._next

    def pick(self: subscription.GroupMember) -> Event | None:
        paused, self._paused = self._paused, False
        event = original(self)
        self._paused = paused
        return None if paused and isinstance(event, Delivered) else event

    patch.setattr(subscription.GroupMember, "_next", pick)


def read_begins_at_the_beginning(patch: Patch) -> None:
    original = Partition.since
    patch.setattr(Partition, "since", lambda self, made, _=0: original(self, made))


def batches_without_bound(patch: Patch) -> None:
    patch.setattr(Partition, "fetch", lambda self, position, _=None: [m for m in self.tail if m.offset >= position])


def queue_without_bound(patch: Patch) -> None:
    patch.setattr(writer, "QUEUE_BYTES", 1 << 60)
    patch.setattr(writer, "QUEUE_ENTRIES", 1 << 60)


def partitions_of_its_own(patch: Patch) -> None:
    patch.setattr("esclusa.engines.inprocess.log.partition_of", lambda key, count: (partition_of(key, count) + 1) % count)


def revoked_without_a_word(patch: Patch) -> None:
    def revoke(self: Group, claim: group.Claim) -> None:
        self._end(claim)
        claim.member.taken(claim)
        self.balance()

    patch.setattr(Group, "_revoke", revoke)


def closing_wakes_nobody(patch: Patch) -> None:
    patch.setattr(subscription.GroupMember, "wake", lambda self: None if self.closed else self._woken.set())


def setup_says_that_all_is_new(patch: Patch) -> None:
    original = MemoryUpkeep.setup

    async def setup(self: MemoryUpkeep, topics: Sequence[Topic]) -> list[Made]:
        return [Made(made.what, new=True) for made in await original(self, topics)]

    patch.setattr(MemoryUpkeep, "setup", setup)


def inspection_finds_fault(patch: Patch) -> None:
    async def inspect(self: MemoryInstallation, topics: Sequence[Topic]) -> list[Finding]:
        del self
        return [Finding(f"topic {topic.name}", "wrong", "absent", "make it") for topic in topics]

    patch.setattr(MemoryInstallation, "inspect", inspect)


BROKEN: list[tuple[Callable[[Patch], None], Any, str]] = [
    (last_wins, RecordsExam, "test_the_lowest_rank_wins_in_every_order"),
    (last_wins, RecordsExam, "test_an_expired_row_is_not_written"),
    (no_tombstones, RecordsExam, "test_forget_deletes_and_beats_what_is_written_later"),
    (add_overwrites, RecordsExam, "test_of_many_that_add_at_once_one_wins_and_all_are_told_the_same"),
    (keys_live_for_ever, KeysExam, "test_a_key_is_unknown_from_its_time_on_destroyed_or_not"),
    (positions_go_back, LogExam, "test_a_position_never_goes_back"),
    (new_groups_start_at_the_end, LogExam, "test_a_new_group_starts_at_the_earliest_message"),
    (nothing_is_ever_lost, LogExam, "test_what_is_not_released_is_lost_and_can_not_be_committed"),
    (everybody_has_the_same_time, LogExam, "test_a_member_has_as_long_to_release_as_it_said"),
    (pause_is_not_heard, LogExam, "test_who_has_paused_hears_of_partitions_and_gets_no_messages"),
    (pause_stops_everything, LogExam, "test_who_has_paused_hears_of_partitions_and_gets_no_messages"),
    (pause_throws_away, LogExam, "test_a_pause_passes_nothing_over_wherever_it_begins"),
    (read_begins_at_the_beginning, LogExam, "test_read_goes_on_where_it_is_told_to"),
    (batches_without_bound, LogExam, "test_a_batch_is_bounded"),
    (queue_without_bound, LogExam, "test_what_no_queue_can_hold_is_refused_and_what_was_taken_is_there"),
    (partitions_of_its_own, LogExam, "test_a_message_comes_as_it_was_appended"),
    (revoked_without_a_word, LogExam, "test_a_partition_moves_only_when_its_owner_has_let_go"),
    (setup_says_that_all_is_new, UpkeepExam, "test_setup_says_what_it_made_and_what_was_there"),
    (inspection_finds_fault, UpkeepExam, "test_an_inspection_finds_what_is_set_up_and_makes_nothing"),
    (closing_wakes_nobody, LogExam, "test_closing_wakes_who_receives"),
]


@pytest.mark.parametrize(("breaks", "exam", "name"), BROKEN, ids=[f"{breaks.__name__}-{name}" for breaks, _, name in BROKEN])
async def test_a_broken_promise_is_found_out(breaks: Callable[[Patch], None], exam: Any, name: str, monkeypatch: Patch) -> None:
    test: Callable[[], Coroutine[Any, Any, None]] = getattr(deployed(exam, HONEST), name)
    await test()
    breaks(monkeypatch)
    with pytest.raises((AssertionError, TimeoutError)):
        await test()


@pytest.mark.parametrize("exam", [LogExam, RecordsExam])
async def test_durability_that_is_not_declared_is_found_out(exam: Any) -> None:
    honest = deployed(exam, HONEST)
    await honest.test_what_was_acknowledged_outlives_a_process_that_was_stopped()
    modest = deployed(exam, Features(durable=False, processes=True))
    with pytest.raises(AssertionError):
        await modest.test_what_was_acknowledged_outlives_a_process_that_was_stopped()


async def test_processes_side_by_side_that_are_not_declared_are_found_out() -> None:
    modest = deployed(UpkeepExam, Features(durable=True, processes=False))
    with pytest.raises(AssertionError, match="StorageBusy was to be raised"):
        await modest.test_one_process_at_a_time_unless_several_are_declared()

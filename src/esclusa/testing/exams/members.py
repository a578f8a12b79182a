"""The exam of a group's members: who is given which partition, and how it moves from one to another."""

from __future__ import annotations

import asyncio

from esclusa.kernel.errors import Closed
from esclusa.ports.log import RELEASE, Log, Topic, partition_of
from esclusa.testing.exams.deployment import Exam, Process, cancelled, raises
from esclusa.testing.exams.member import Member

ONE = Topic("exam.one")
FOUR = Topic("exam.four", partitions=4)


def key_of(partition: int, partitions: int) -> bytes:
    """A key that stands in `partition`."""
    return next(key for key in (b"key-%d" % number for number in range(10_000)) if partition_of(key, partitions) == partition)


async def fill(log: Log, topic: Topic, count: int, first: int = 0) -> list[bytes]:
    """Append `count` values to every partition of `topic`, in turns; the values, in the order of appending."""
    keys = [key_of(partition, topic.partitions) for partition in range(topic.partitions)]
    values = [b"%d/%d" % (number, partition) for number in range(first, first + count) for partition in range(len(keys))]
    await asyncio.gather(*[log.append(topic, keys[place % len(keys)], value) for place, value in enumerate(values)])
    return values


class MembersExam(Exam):
    """What `esclusa.ports.log` says of partitions that are given, revoked, released and lost."""

    async def member(
        self, process: Process, topic: Topic, group: str = "group", *, releases: bool = True, within: float = RELEASE
    ) -> Member:
        """A new member of `group`, that has so many seconds to release a partition."""
        return Member(await process.log.subscribe(topic, group, within), releases=releases, limit=self.limit)

    async def test_members_share_the_partitions(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([FOUR])
            one, two = await self.member(process, FOUR), await self.member(process, FOUR)
            await two.holds(2)
            await one.holds(2)
            assert {*one.owned, *two.owned} == {0, 1, 2, 3}
            values = await fill(process.log, FOUR, 4)
            await one.gets(8)
            await two.gets(8)
            assert sorted(one.values + two.values) == sorted(values)

    async def test_members_beyond_the_partitions_wait_for_one_to_leave(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([ONE])
            owner = await self.member(process, ONE)
            await owner.until(lambda: 0 in owner.owned)
            waiting = await self.member(process, ONE)
            values = await fill(process.log, ONE, 2)
            await owner.gets(2)
            assert not waiting.events
            await owner.close()
            await waiting.gets(2)
            assert waiting.values == values

    async def test_a_partition_moves_only_when_its_owner_has_let_go(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([FOUR])
            one = await self.member(process, FOUR, releases=False)
            await one.holds(4)
            await fill(process.log, FOUR, 1)
            await one.gets(4)
            two = await self.member(process, FOUR)
            await one.must_release(2)
            await fill(process.log, FOUR, 1, first=1)
            await one.gets(6)  # `Member` checks that nothing of the revoked ones comes
            assert not two.events
            gone = one.revoked[0]
            position = next(message.offset for partition, message in one.messages if partition == gone) + 1
            await one.subscription.commit(gone, position)
            await one.subscription.release(gone)
            await two.until(lambda: bool(two.current.get(gone)))
            assert two.owned[gone].committed == position
            assert two.current[gone] == [b"1/%d" % gone]
            assert two.owned.keys() - {gone} <= set(one.lost), (
                "what wasn't released may have come with it, when its time was over"
            )
            one.alive()

    async def test_a_commit_that_was_asked_for_counts_though_its_partition_is_released_at_once(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([FOUR])
            await fill(process.log, FOUR, 1)
            one = await self.member(process, FOUR, releases=False)
            await one.gets(4)
            two = await self.member(process, FOUR)
            await one.must_release(2)
            positions = {partition: message.offset + 1 for partition, message in one.messages}
            for partition in one.revoked:
                commit = one.subscription.commit(partition, positions[partition])
                await one.subscription.release(partition)
                await commit
            await two.holds(2)
            assert {partition: assigned.committed for partition, assigned in two.owned.items()} == {
                partition: positions[partition] for partition in one.revoked
            }

    async def test_who_joins_meanwhile_does_not_put_off_a_revocation(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            await process.upkeep.setup([FOUR])
            one = await self.member(process, FOUR, releases=False)
            await one.holds(4)
            two = await self.member(process, FOUR)
            await one.must_release(2)
            three = await self.member(process, FOUR)
            await one.until(lambda: len(one.lost) >= 2)
            members = (one, two, three)
            async with asyncio.timeout(self.limit):
                while sorted(len(member.owned) for member in members) != [1, 1, 2]:
                    await clock.sleep(0.1)
            values = await fill(process.log, FOUR, 5)
            for member in members:
                await member.gets(5 * len(member.owned))
            assert sorted(one.values + two.values + three.values) == sorted(values)
            assert len(one.revoked) == len(set(one.revoked)) == 4 - len(one.owned)

    async def test_what_is_not_released_is_lost_and_can_not_be_committed(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([FOUR])
            await fill(process.log, FOUR, 2)
            one = await self.member(process, FOUR, releases=False)
            await one.gets(8)
            two = await self.member(process, FOUR)
            await one.until(lambda: len(one.lost) == 2)
            assert sorted(one.lost) == sorted(one.revoked)
            for partition in one.lost:
                await one.subscription.commit(partition, 1)
                await one.subscription.release(partition)
            await two.gets(4)
            assert all(assigned.committed == 0 for assigned in two.owned.values())
            await two.close()
            await one.holds(4)
            assert all(assigned.committed == 0 for assigned in one.owned.values())

    async def test_a_member_has_as_long_to_release_as_it_said(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            await process.upkeep.setup([FOUR])
            await fill(process.log, FOUR, 1)
            one = await self.member(process, FOUR, releases=False, within=2.5 * RELEASE)
            await one.gets(4)
            two = await self.member(process, FOUR)
            await one.must_release(2)
            await clock.sleep(2 * RELEASE)
            assert (one.lost, two.events) == ([], [])
            positions = {partition: message.offset + 1 for partition, message in one.messages}
            gone = one.revoked[0]
            await one.subscription.commit(gone, positions[gone])
            await one.subscription.release(gone)
            await one.until(lambda: one.lost == [one.revoked[1]])
            await two.holds(2)
            assert {number: given.committed for number, given in two.owned.items()} == {gone: positions[gone], one.lost[0]: 0}

    async def test_who_has_paused_hears_of_partitions_and_gets_no_messages(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([FOUR])
            one = await self.member(process, FOUR)
            one.subscription.pause(paused=True)
            values = await fill(process.log, FOUR, 2)
            await one.holds(4)
            two = await self.member(process, FOUR)
            await one.holds(2)
            await two.gets(4)
            await two.close()
            await one.holds(4)
            assert not one.messages
            one.subscription.pause(paused=False)
            await one.gets(8)
            assert sorted(one.values) == sorted(values)

    async def test_a_pause_passes_nothing_over_wherever_it_begins(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            await process.upkeep.setup([ONE])
            member = await self.member(process, ONE)
            values = []
            for turn in range(12):
                values += await fill(process.log, ONE, 300, first=turn * 300)
                for _ in range(turn % 4):
                    await clock.sleep(0)
                member.subscription.pause(paused=True)
                before = len(member.events)
                await clock.sleep(0.1)
                assert len(member.events) <= before + 1, "at most what was being handed over"
                member.subscription.pause(paused=False)
            await member.gets(len(values))
            assert member.values == values

    async def test_a_release_or_close_that_is_cancelled_can_be_done_again(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            await process.upkeep.setup([FOUR])
            await fill(process.log, FOUR, 1)
            for turns in range(6):
                leaving = await self.member(process, FOUR, releases=False)
                await leaving.holds(4)
                other = await self.member(process, FOUR)
                await leaving.must_release(2)
                for gone in leaving.revoked:
                    leaving.subscription.commit(gone, 1)
                    await cancelled(clock, turns, leaving.subscription.release(gone))
                    await leaving.subscription.release(gone)
                await other.holds(2)
                assert other.owned.keys() == set(leaving.revoked)
                for member in (leaving, other):
                    await cancelled(clock, turns, member.subscription.close())
                    await member.subscription.close()
            heir = await self.member(process, FOUR)
            await heir.holds(4)

    async def test_a_killed_process_commits_nothing_more_and_its_partitions_go_to_others(self) -> None:
        async with self.deployment() as deployment:
            if not deployment.features.processes:
                return  # that it refuses a second process is proved by `UpkeepExam`
            dying, living = await deployment.process(self.clock()), await deployment.process(self.clock())
            await dying.upkeep.setup([ONE])
            await living.upkeep.setup([ONE])
            victim = await self.member(dying, ONE)
            await fill(dying.log, ONE, 3)
            await victim.gets(3)
            heir = await self.member(living, ONE)
            offsets = [message.offset for _, message in victim.messages]
            await victim.subscription.commit(0, offsets[1])
            lost = victim.subscription.commit(0, offsets[2])
            dying.kill()
            await asyncio.wait([lost])
            await heir.gets(2)
            assert [message.offset for _, message in heir.messages] == offsets[1:]
            await raises(Closed, victim.subscription.receive())

"""The exam of a log's groups: what is delivered, from where, and what is delivered again."""

from __future__ import annotations

import asyncio

from esclusa.kernel.errors import Closed
from esclusa.ports.log import Assigned, Delivered
from esclusa.testing.exams.deployment import cancelled, end, raises
from esclusa.testing.exams.member import Member
from esclusa.testing.exams.members import FOUR, ONE, MembersExam, fill


class GroupsExam(MembersExam):
    """What `esclusa.ports.log` says of groups, positions and subscriptions."""

    async def test_a_new_group_starts_at_the_earliest_message(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([ONE])
            values = await fill(process.log, ONE, 3)
            member = await self.member(process, ONE)
            await member.gets(3)
            assert member.values == values
            assert member.events[0] == Assigned(0, committed=0, end=3)

    async def test_every_group_gets_every_message(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([FOUR])
            members = [await self.member(process, FOUR, name) for name in ("a", "b", "c")]
            values = await fill(process.log, FOUR, 5)
            for member in members:
                await member.gets(len(values))
                assert sorted(member.values) == sorted(values)

    async def test_messages_of_a_partition_come_in_order_and_once(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([FOUR])
            values = await fill(process.log, FOUR, 300)
            member = await self.member(process, FOUR)
            values += await fill(process.log, FOUR, 300, first=300)
            await member.gets(len(values))
            for partition in range(4):
                came = [message.value for number, message in member.messages if number == partition]
                assert came == [value for value in values if value.endswith(b"/%d" % partition)]

    async def test_what_is_not_committed_is_delivered_again_to_the_next_owner(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([ONE])
            values = await fill(process.log, ONE, 6)
            first = await self.member(process, ONE)
            await first.gets(6)
            await first.subscription.commit(0, first.messages[2][1].offset)
            await first.close()
            second = await self.member(process, ONE)
            await second.gets(4)
            assert second.values == values[2:]
            assert second.owned[0].committed == first.messages[2][1].offset

    async def test_a_commit_that_was_asked_for_counts_though_the_member_leaves_at_once(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([ONE])
            values = await fill(process.log, ONE, 3)
            first = await self.member(process, ONE)
            await first.gets(3)
            commit = first.subscription.commit(0, first.messages[2][1].offset)
            await first.subscription.close()
            await commit
            second = await self.member(process, ONE)
            await second.gets(1)
            assert second.values == values[2:]

    async def test_a_position_never_goes_back(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([ONE])
            await fill(process.log, ONE, 5)
            first = await self.member(process, ONE)
            await first.gets(5)
            offsets = [message.offset for _, message in first.messages]
            await asyncio.gather(*[first.subscription.commit(0, offsets[place]) for place in (3, 1, 2)])
            await first.subscription.commit(0, offsets[0])
            await first.close()
            second = await self.member(process, ONE)
            await second.gets(1)
            assert second.owned[0].committed == offsets[3]

    async def test_done_out_of_order_the_lowest_unfinished_is_where_the_next_owner_goes_on(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([ONE])
            await fill(process.log, ONE, 8)
            first = await self.member(process, ONE)
            await first.gets(8)
            offsets = [message.offset for _, message in first.messages]
            unfinished = set(offsets)
            for place in (1, 0, 4, 2, 7):  # 3 is never finished
                unfinished.discard(offsets[place])
                await first.subscription.commit(0, min(unfinished))
            await first.close()
            second = await self.member(process, ONE)
            await second.gets(5)
            assert [message.offset for _, message in second.messages] == offsets[3:]

    async def test_a_commit_of_a_partition_that_is_not_held_is_ignored(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([ONE])
            await fill(process.log, ONE, 3)
            owner = await self.member(process, ONE)
            await owner.gets(3)
            idle = await process.log.subscribe(ONE, "group")
            await idle.commit(0, 3)
            await idle.close()
            await owner.close()
            await owner.subscription.commit(0, 3)
            following = await self.member(process, ONE)
            await following.gets(3)
            assert following.owned[0].committed == 0

    async def test_a_member_that_does_not_receive_holds_up_nobody(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([ONE])
            idle = await process.log.subscribe(ONE, "idle")
            busy = await self.member(process, ONE, "busy")
            values = []
            for first in range(0, 4000, 500):
                values += await fill(process.log, ONE, 500, first)
            await busy.gets(4000)
            late = Member(idle, limit=self.limit)
            await late.gets(4000)
            assert late.values == busy.values == values

    async def test_a_batch_is_bounded(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([ONE])
            await process.upkeep.setup([FOUR])
            for _ in range(8):
                await asyncio.gather(*[process.log.append(ONE, b"key", bytes(10_000)) for _ in range(100)])
            await asyncio.gather(*[process.log.append(FOUR, b"key", b"") for _ in range(6000)])
            for topic, count in ((ONE, 800), (FOUR, 6000)):
                member = await self.member(process, topic)
                await member.gets(count)
                batches = [event.messages for event in member.events if isinstance(event, Delivered)]
                assert max(map(len, batches)) < count

    async def test_a_receive_that_is_cancelled_loses_nothing(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            await process.upkeep.setup([ONE])
            subscription = await process.log.subscribe(ONE, "group")
            came: list[bytes] = []
            for number in range(60):
                appending = process.log.append(ONE, b"key", b"%d" % number)
                event = await cancelled(clock, number % 10, subscription.receive())
                came += [message.value for message in event.messages] if isinstance(event, Delivered) else []
                await appending
            async with asyncio.timeout(self.limit):
                while len(came) < 60:
                    event = await subscription.receive()
                    came += [message.value for message in event.messages] if isinstance(event, Delivered) else []
            assert came == [b"%d" % number for number in range(60)]

    async def test_a_commit_that_is_cancelled_is_done_or_not_and_harms_nothing(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            await process.upkeep.setup([ONE])
            await fill(process.log, ONE, 10)
            first = await self.member(process, ONE)
            await first.gets(10)
            for place in range(9):
                commit = first.subscription.commit(0, first.messages[place][1].offset)
                await clock.sleep(0)
                commit.cancel()
            last = first.messages[9][1].offset
            await first.subscription.commit(0, last)
            await first.close()
            second = await self.member(process, ONE)
            await second.gets(1)
            assert second.owned[0].committed == last

    async def test_closing_wakes_who_receives(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            await process.upkeep.setup([ONE])
            member = await self.member(process, ONE)
            await member.until(lambda: 0 in member.owned)
            await clock.sleep(0.1)  # it waits for more by now
            await member.close()
            assert member.closed
            await raises(Closed, member.subscription.receive())

    async def test_closing_the_log_wakes_who_receives(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            await process.upkeep.setup([ONE])
            member = await self.member(process, ONE)
            await member.until(lambda: 0 in member.owned)
            await clock.sleep(0.1)  # it waits for more by now
            await process.log.close()
            await member.until(lambda: member.closed)
            await raises(Closed, member.subscription.receive())

    async def test_what_was_acknowledged_outlives_a_process_that_was_stopped(self) -> None:
        await self.outlives(kill=False)

    async def test_what_was_acknowledged_outlives_a_process_that_was_killed(self) -> None:
        await self.outlives(kill=True)

    async def outlives(self, *, kill: bool) -> None:
        """Messages, positions and ends are there when a process is started after the last one has ended; or nothing is."""
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([FOUR])
            values = await fill(process.log, FOUR, 3)
            first = await self.member(process, FOUR)
            await first.gets(12)
            for partition in range(4):
                offsets = [message.offset for number, message in first.messages if number == partition]
                await first.subscription.commit(partition, offsets[1])
            ends = [await process.log.end(FOUR, partition) for partition in range(4)]
            await first.stop()
            await end(process, kill=kill)

            process = await deployment.process(self.clock())
            await process.upkeep.setup([FOUR])
            if deployment.features.durable:
                assert [await process.log.end(FOUR, partition) for partition in range(4)] == ends
                second = await self.member(process, FOUR)
                await second.gets(8)
                assert sorted(second.values) == sorted(values[4:])
            more = await fill(process.log, FOUR, 1, first=3)
            third = await self.member(process, FOUR, "new")
            expected = values + more if deployment.features.durable else more
            await third.gets(len(expected))
            assert sorted(third.values) == sorted(expected)

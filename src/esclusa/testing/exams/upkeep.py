"""The exam of administration and installation, and of the features that an engine has not declared."""

from __future__ import annotations

import asyncio

from esclusa.kernel.errors import StorageBusy, StorageError
from esclusa.ports.log import Topic
from esclusa.ports.records import Row
from esclusa.ports.upkeep import Lag, Made
from esclusa.testing.exams.deployment import Exam, end, raises, swept
from esclusa.testing.exams.member import Member
from esclusa.testing.exams.members import FOUR, ONE, fill

SHORT = Topic("exam.short", keep=10.0)


class UpkeepExam(Exam):
    """What `esclusa.ports.upkeep` and `.installation` promise of an engine with a log and records."""

    async def test_what_is_set_up_again_stays_as_it_is(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([ONE])
            await fill(process.log, ONE, 3)
            await process.upkeep.setup([ONE, FOUR])
            await process.upkeep.setup([ONE, FOUR])
            await process.upkeep.setup([])
            assert await process.log.end(ONE, 0) == 3
            await fill(process.log, FOUR, 1)

    async def test_setup_says_what_it_made_and_what_was_there(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            first = await process.upkeep.setup([ONE])
            assert first
            assert all(made.new for made in first)
            both = await process.upkeep.setup([ONE, FOUR])
            assert both[: len(first)] == [Made(made.what, new=False) for made in first]
            assert [made.new for made in both[len(first) :]] == [True]
            assert await process.upkeep.setup([]) == []

    async def test_an_inspection_finds_what_is_set_up_and_makes_nothing(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            for _ in range(2):
                assert await process.installation.inspect([ONE, FOUR])
            made = await process.upkeep.setup([ONE, FOUR])
            assert all(each.new for each in made)
            findings = await process.installation.inspect([ONE, FOUR])
            wrong = [finding for finding in findings if finding.state == "wrong"]
            assert not wrong
            assert all(finding.what for finding in findings)
            assert all(finding.remedy for finding in findings if finding.state != "sound")

    async def test_partitions_can_be_added(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([Topic("exam.grows", partitions=2)])
            grown = Topic("exam.grows", partitions=4)
            member = Member(await process.log.subscribe(Topic("exam.grows", partitions=2), "group"), limit=self.limit)
            await member.holds(2)
            await process.upkeep.setup([grown])
            values = await fill(process.log, grown, 2)
            await member.until(lambda: len(member.owned) == 4 and len(member.messages) == 8)
            assert sorted(member.values) == sorted(values)

    async def test_partitions_can_not_be_added_to_a_topic_that_holds_messages(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([FOUR])
            await fill(process.log, FOUR, 1)
            await raises(StorageError, process.upkeep.setup([Topic(FOUR.name, partitions=5)]))
            await process.upkeep.setup([FOUR])

    async def test_partitions_can_not_be_taken_away(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([FOUR])
            await raises(StorageError, process.upkeep.setup([Topic(FOUR.name, partitions=3)]))
            await fill(process.log, FOUR, 1)

    async def test_check_passes_as_often_as_it_is_asked(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            for _ in range(3):
                await process.upkeep.check()
            await clock.sleep(100)
            await process.upkeep.check()
            await process.records.close()
            await raises(StorageError, process.upkeep.check())

    async def test_lag_tells_how_far_every_group_is_behind(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([ONE, FOUR])
            assert await process.upkeep.lag([ONE, FOUR]) == []
            await fill(process.log, ONE, 5)
            member = Member(await process.log.subscribe(ONE, "group"), limit=self.limit)
            await process.log.subscribe(FOUR, "other")
            await member.gets(5)
            await member.subscription.commit(0, 3)
            await member.close()
            lag = await process.upkeep.lag([ONE])
            assert lag == [Lag(ONE.name, "group", 0, committed=3, end=5)]
            both = await process.upkeep.lag([ONE, FOUR])
            assert both[0] == lag[0]
            assert both[1:] == [Lag(FOUR.name, "other", partition, committed=0, end=0) for partition in range(4)]

    async def test_a_sweep_says_what_is_left_until_nothing_is(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            await process.upkeep.setup([SHORT])
            expires = clock.millis() + 1000
            rows = [Row(f"{number}", b"", bytes(100), expires) for number in range(50)]
            await asyncio.gather(*[process.records.put(b"%d" % number, rows) for number in range(400)])
            await fill(process.log, SHORT, 3000)
            await clock.sleep(20)
            assert await swept(process.upkeep, clock.millis()) == 400 * 50 + 3000
            assert (await process.upkeep.sweep(clock.millis())).deleted == 0

    async def test_one_process_at_a_time_unless_several_are_declared(self) -> None:
        async with self.deployment() as deployment:
            first = await deployment.process(self.clock())
            if deployment.features.processes:
                await deployment.process(self.clock())
                return
            await raises(StorageBusy, deployment.process(self.clock()))
            await first.upkeep.check()
            for kill in (False, True):
                await end(first, kill=kill)
                first = await deployment.process(self.clock())
                await first.upkeep.check()

"""The exam of the records port. A model comes with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import permutations

from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed
from esclusa.ports.records import Records, Row
from esclusa.testing.exams.deployment import cancelled, end, raises, swept, waited
from esclusa.testing.exams.sequences import RecordsModelExam

KEY = b"key"
MINUTE_MS = 60_000


def row(clock: Clock, name: str = "name", value: bytes = b"value", *, rank: int = 0, lives: int = MINUTE_MS) -> Row:
    """A row that expires `lives` ms from now, with `value` as its body and, reversed, as its head."""
    return Row(name, value[::-1], value, clock.millis() + lives, rank)


async def values(records: Records, key: bytes = KEY) -> dict[str, bytes]:
    """The bodies of what is there, by name."""
    return {found.name: found.body for found in await records.read(key)}


class RecordsExam(RecordsModelExam):
    """What `esclusa.ports.records` promises."""

    async def test_rows_come_as_they_were_put_in_the_order_of_their_names(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            records = (await deployment.process(clock)).records
            names = ["b", "a", "", "ñ", "z" * 200, "A", "aa", "€", "\U0001f6a2", "0"]
            rows = [row(clock, name, name.encode() + bytes(range(256))) for name in names]
            await records.put(KEY, rows)
            await records.put(b"\x00\xff", [row(clock, "empty", b"")])
            assert await records.read(KEY) == sorted(rows, key=lambda found: found.name)
            assert await values(records, b"\x00\xff") == {"empty": b""}
            assert await records.read(b"unknown") == []

    async def test_nothing_put_changes_nothing(self) -> None:
        async with self.deployment() as deployment:
            records = (await deployment.process(self.clock())).records
            await records.put(KEY, [])
            assert await records.read(KEY) == []

    async def test_the_lowest_rank_wins_in_every_order(self) -> None:
        clock = self.clock()
        ranks = {"a": -(2**60), "b": -1, "c": 0, "d": 2**60}
        async with self.deployment() as deployment:
            records = (await deployment.process(clock)).records
            for number, order in enumerate(permutations(ranks)):
                rows = [row(clock, value=value.encode(), rank=ranks[value]) for value in order]
                one, several, together = (b"%s-%d" % (how, number) for how in (b"one", b"several", b"together"))
                for each in rows:
                    await records.put(one, [each])
                await asyncio.gather(*[records.put(several, [each]) for each in rows])
                await records.put(together, rows)
                for key in (one, several, together):
                    (found,) = await records.read(key)
                    assert found == rows[order.index("a")], "head and body, expiry and rank are those of one row"

    async def test_the_same_row_again_changes_nothing(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            records = (await deployment.process(clock)).records
            first, other = row(clock, value=b"first", rank=7), row(clock, "other", b"other")
            await records.put(KEY, [first])
            await records.put(KEY, [other, first, other])
            await asyncio.gather(*[records.put(KEY, [first]) for _ in range(5)])
            assert await records.read(KEY) == [first, other]

    async def test_many_rows_and_large_ones_are_put_together(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            records = (await deployment.process(clock)).records
            many = [row(clock, f"{number:04}", b"%d" % number) for number in range(500)]
            large = [row(clock, f"{number}", bytes([number]) * 256 * 1024) for number in range(12)]
            await asyncio.gather(records.put(b"many", many), records.put(b"large", large))
            assert await records.read(b"many") == many
            assert {name: len(body) for name, body in (await values(records, b"large")).items()} == {
                str(number): 256 * 1024 for number in range(12)
            }

    async def test_an_expired_row_is_not_read(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            records = (await deployment.process(clock)).records
            await records.put(KEY, [row(clock, "short", lives=1000), row(clock, "long", lives=5000)])
            await clock.sleep(0.5)
            assert set(await values(records)) == {"long", "short"}
            await clock.sleep(0.6)
            assert set(await values(records)) == {"long"}
            assert set(await values(records)) == {found.name for found in await records.read(KEY, bodies=False)}

    async def test_an_expired_row_is_not_written(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            records = (await deployment.process(clock)).records
            await records.put(KEY, [row(clock, "past", lives=-1), row(clock, "present")])
            await records.put(KEY, [row(clock, "present", b"past", rank=-1, lives=-1)])
            assert await values(records) == {"present": b"value"}
            late = row(clock, "late", lives=-1)
            assert await records.add(KEY, late) == late
            assert set(await values(records)) == {"present"}

    async def test_an_expired_row_stands_in_nobodys_way(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            records = (await deployment.process(clock)).records
            await records.put(KEY, [row(clock, "put", b"old", rank=5, lives=1000)])
            await records.add(KEY, row(clock, "add", b"old", rank=-5, lives=1000))
            await clock.sleep(1.1)
            await records.put(KEY, [row(clock, "put", b"new", rank=4)])
            new = row(clock, "add", b"new", rank=5)
            assert await records.add(KEY, new) == new
            assert await values(records) == {"put": b"new", "add": b"new"}

    async def test_add_puts_only_if_absent_and_answers_what_is_in_place(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            records = (await deployment.process(clock)).records
            first, second = row(clock, value=b"first", rank=9), row(clock, value=b"second", rank=-9)
            assert await records.add(KEY, first) == first
            assert await records.add(KEY, second) == first
            assert await records.add(KEY, first) == first
            assert await records.read(KEY) == [first]

    async def test_of_many_that_add_at_once_one_wins_and_all_are_told_the_same(self) -> None:
        async with self.deployment() as deployment:
            processes = [(await deployment.process(clock := self.clock()), clock)]
            while deployment.features.processes and len(processes) < 3:
                processes.append((await deployment.process(clock := self.clock()), clock))
            for turn in range(20):
                key = b"%d" % turn
                adding = [
                    process.records.add(key, row(clock, value=b"%d-%d" % (place, number), rank=-number))
                    for number in range(10)
                    for place, (process, clock) in enumerate(processes)
                ]
                answers = await asyncio.gather(*adding)
                for process, _ in processes:
                    (found,) = await process.records.read(key)
                    assert all(answer == found for answer in answers)

    async def test_forget_deletes_and_beats_what_is_written_later(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            records = (await deployment.process(clock)).records
            until = clock.millis() + MINUTE_MS
            await records.put(KEY, [row(clock, "a"), row(clock, "b")])
            await records.add(KEY, row(clock, "added"))
            await records.put(b"other", [row(clock)])
            await records.forget(KEY, until)
            assert await records.read(KEY) == []
            await records.put(KEY, [row(clock, "a", b"lower", rank=-(2**60)), row(clock, "c")])
            await records.add(KEY, row(clock, "added"))
            await records.add(KEY, row(clock, "d"))
            assert await records.read(KEY) == []
            assert set(await values(records, b"other")) == {"name"}
            await clock.sleep(59)
            await records.put(KEY, [row(clock, "e", lives=900)])
            assert await records.read(KEY) == []

    async def test_forget_beats_writes_in_the_air_called_before_and_after(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            records = (await deployment.process(clock)).records
            until = clock.millis() + MINUTE_MS
            writes = [records.put(KEY, [row(clock, f"{number}")]) for number in range(100)]
            adding = records.add(KEY, row(clock, "added"))
            forgetting = records.forget(KEY, until)
            writes += [records.put(KEY, [row(clock, f"{number}")]) for number in range(100, 200)]
            again = records.add(KEY, row(clock, "added", b"again"))
            await asyncio.gather(*writes, forgetting)
            await asyncio.gather(adding, again)
            assert await records.read(KEY) == []

    async def test_a_shorter_forget_does_not_end_a_longer_one(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            records = (await deployment.process(clock)).records
            await records.forget(KEY, clock.millis() + 5000)
            await records.forget(KEY, clock.millis() + 1000)
            await records.forget(KEY, clock.millis() - 1000)
            await clock.sleep(2)
            await records.put(KEY, [row(clock, lives=2000)])
            assert await records.read(KEY) == []

    async def test_a_forget_survives_the_sweep_for_as_long_as_it_is_to_last(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            await process.records.forget(KEY, clock.millis() + 5000)
            await clock.sleep(4)
            await process.upkeep.sweep(clock.millis())
            await process.records.put(KEY, [row(clock, lives=900)])
            assert await process.records.read(KEY) == []

    async def test_bodies_come_as_they_are_asked_for(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            records = (await deployment.process(clock)).records
            whole = [row(clock, name, name.encode() * 3000, rank=3) for name in ("a", "b", "c")]
            await records.put(KEY, whole)
            heads = [Row(each.name, each.head, b"", each.expires, each.rank) for each in whole]
            assert await records.read(KEY, bodies=True) == whole
            assert await records.read(KEY, bodies=False) == heads
            assert await records.read(KEY, bodies=()) == heads
            assert await records.read(KEY, bodies={"b", "unknown"}) == [heads[0], whole[1], heads[2]]
            assert await records.read(KEY, bodies=["a", "c"]) == [whole[0], heads[1], whole[2]]

    async def test_a_read_sees_every_write_acknowledged_before_it(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            records = (await deployment.process(clock)).records
            for number in range(50):
                await asyncio.gather(*[records.put(key, [row(clock, f"{number:02}")]) for key in (KEY, b"other")])
                reading, heads = records.read(KEY), records.read(KEY, bodies=False)
                assert len(await reading) == len(await heads) == number + 1

    async def test_what_one_process_has_written_every_process_reads(self) -> None:
        async with self.deployment() as deployment:
            if not deployment.features.processes:
                return  # that it refuses a second process is proved by `UpkeepExam`
            clocks = [self.clock(skew) for skew in (0.0, 2.0, -2.0)]
            processes = [await deployment.process(clock) for clock in clocks]
            for number, (process, clock) in enumerate(zip(processes, clocks, strict=True)):
                await process.records.put(KEY, [row(clock, f"{number}")])
                for other in processes:
                    assert len(await values(other.records)) == number + 1
            await processes[1].records.forget(KEY, clocks[1].millis() + MINUTE_MS)
            await processes[2].records.put(KEY, [row(clocks[2])])
            for process in processes:
                assert await process.records.read(KEY) == []

    async def test_a_read_is_of_one_moment(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            records = (await deployment.process(clock)).records

            async def write() -> None:
                for number in range(200):
                    await records.put(KEY, [row(clock, name, b"%d" % number, rank=-number) for name in ("a", "b", "c")])

            writing = asyncio.ensure_future(write())
            while not writing.done():
                for bodies in (True, ("a", "b", "c")):
                    found = await records.read(KEY, bodies)
                    assert len({value for each in found for value in (each.body, each.head[::-1])}) <= 1
                await clock.sleep(0)
            await writing

    async def test_a_cancelled_write_is_done_wholly_or_not_and_harms_no_other(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            records = (await deployment.process(clock)).records
            for turns in range(12):
                key = b"%d" % turns
                both = [row(clock, "a"), row(clock, "b")]
                await cancelled(clock, turns % 4, waited(records.put(key, both)))
                await cancelled(clock, turns % 4, waited(records.add(key, row(clock, "c"))))
                await cancelled(clock, turns % 4, waited(records.read(key)))
                together = [records.put(b"certain", [row(clock, f"{turns}-{number}")]) for number in range(5)]
                together.pop(2).cancel()
                await asyncio.gather(*together)
                assert {f"{turns}-{number}" for number in (0, 1, 3, 4)} <= set(await values(records, b"certain"))
                assert set(await values(records, key)) in (set(), {"a", "b"}, {"c"}, {"a", "b", "c"})
                await cancelled(clock, turns % 4, waited(records.forget(key, clock.millis() + MINUTE_MS)))
                assert set(await values(records, key)) in (set(), {"a", "b"}, {"c"}, {"a", "b", "c"})

    async def test_expired_rows_are_swept_and_no_others(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            for number in range(30):
                rows = [row(clock, f"{place}", lives=1000 if place % 2 else MINUTE_MS) for place in range(20)]
                await process.records.put(b"%d" % number, rows)
            await process.records.forget(b"gone", clock.millis() + 1000)
            assert (await process.upkeep.sweep(clock.millis())).deleted == 0
            await clock.sleep(1.1)
            later = clock.millis() + MINUTE_MS  # what has not expired stays all the same
            assert await swept(process.upkeep, later) == (0 if deployment.features.expires else 30 * 10 + 1)
            for number in range(30):
                assert len(await process.records.read(b"%d" % number)) == 10

    async def test_closing_finishes_what_is_at_hand_and_refuses_what_comes_after(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            records = (await deployment.process(clock)).records
            at_hand = [records.put(KEY, [row(clock, f"{number}")]) for number in range(100)]
            await records.close()
            assert all(writing.done() and writing.exception() is None for writing in at_hand)
            await raises(Closed, records.put(KEY, [row(clock)]))
            await raises(Closed, records.add(KEY, row(clock)))
            await raises(Closed, records.forget(KEY, 0))
            await raises(Closed, records.read(KEY))

    async def test_what_was_acknowledged_outlives_a_process_that_was_stopped(self) -> None:
        await self.outlives(kill=False)

    async def test_what_was_acknowledged_outlives_a_process_that_was_killed(self) -> None:
        await self.outlives(kill=True)

    async def outlives(self, *, kill: bool) -> None:
        """Rows and tombstones are there when a process is started after the last one has ended; or nothing is."""
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            rows: Sequence[Row] = [row(clock, f"{number}", rank=number) for number in range(5)]
            await process.records.put(KEY, rows)
            added = await process.records.add(KEY, row(clock, "added"))
            await process.records.put(b"forgotten", rows)
            await process.records.forget(b"forgotten", clock.millis() + MINUTE_MS)
            await end(process, kill=kill)
            process = await deployment.process(clock)
            if deployment.features.durable:
                assert await process.records.read(KEY) == [*rows, added]
            else:
                assert await process.records.read(KEY) == []
            await process.records.put(b"forgotten", rows)
            assert (await process.records.read(b"forgotten") == []) == deployment.features.durable

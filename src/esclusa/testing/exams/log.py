"""The exam of the log port: appending, reading past groups, broadcast. Groups and a model come with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from esclusa.kernel.errors import Closed, StorageUnavailable
from esclusa.kernel.message import Message
from esclusa.ports.log import Delivered, Log, Subscription, Topic, partition_of
from esclusa.testing.exams.deployment import cancelled, raises, swept, waited
from esclusa.testing.exams.groups import GroupsExam
from esclusa.testing.exams.members import FOUR, ONE, fill
from esclusa.testing.exams.sequences import LogModelExam

WAKE = Topic("exam.wake", broadcast=True)
KEEP = Topic("exam.keep", keep=100.0)
FLOOD = 400_000
"""Kilobytes that nobody waits for: no queue may take them all."""


async def read(log: Log, topic: Topic, partition: int, since: int = 0, end: int | None = None, start: int = 0) -> list[Message]:
    """All that `log.read` gives."""
    below = await log.end(topic, partition) if end is None else end
    return [message async for batch in log.read(topic, partition, since, below, start) for message in batch]


class LogExam(GroupsExam, LogModelExam):
    """What `esclusa.ports.log` promises."""

    async def test_a_message_comes_as_it_was_appended(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            await process.upkeep.setup([FOUR])
            before = clock.millis()
            sent = [(bytes([number]), bytes(range(number))) for number in range(40)] + [(b"", b"")]
            offsets = [await process.log.append(FOUR, key, value) for key, value in sent]
            member = await self.member(process, FOUR)
            await member.gets(len(sent))
            came = {(partition, message.offset): message for partition, message in member.messages}
            for (key, value), offset in zip(sent, offsets, strict=True):
                message = came[partition_of(key, 4), offset]
                assert (message.key, message.value) == (key, value)
                assert before <= message.made <= clock.millis()

    async def test_appends_in_the_air_stand_in_the_order_in_which_they_were_called(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([ONE])
            offsets = await asyncio.gather(*[process.log.append(ONE, b"key", b"%d" % number) for number in range(3000)])
            assert offsets == sorted(set(offsets))
            assert [message.value for message in await read(process.log, ONE, 0)] == [b"%d" % number for number in range(3000)]

    async def test_a_message_is_seen_only_once_it_is_acknowledged(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            await process.upkeep.setup([ONE])
            appending = process.log.append(ONE, b"key", b"value")
            while not appending.done():
                seen = await process.log.end(ONE, 0)
                assert seen == 0 or await appending + 1 == seen, "its acknowledgement may be on its way, but it comes"
                await clock.sleep(0)
            assert await process.log.end(ONE, 0) == appending.result() + 1

    async def test_a_cancelled_append_is_there_or_not_and_harms_no_other(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            await process.upkeep.setup([ONE])
            certain = []
            for number in range(30):
                value = b"%d" % number
                if await cancelled(clock, number % 5, waited(process.log.append(ONE, b"key", value))) is not None:
                    certain.append(value)
                dropped, kept = (process.log.append(ONE, b"key", value + end) for end in (b"+", b"+++"))
                dropped.cancel()
                await kept
                certain.append(value + b"+++")
            there = [message.value for message in await read(process.log, ONE, 0)]
            assert len(there) == len(set(there))
            assert set(certain) <= set(there)
            assert there == sorted(there, key=lambda value: (int(value.rstrip(b"+")), value))

    async def test_what_no_queue_can_hold_is_refused_and_what_was_taken_is_there(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([ONE])
            taken = []
            for _ in range(FLOOD):
                appending = process.log.append(ONE, b"key", bytes(1000))
                if appending.done() and appending.exception() is not None:
                    await raises(StorageUnavailable, appending)
                    break
                taken.append(appending)
            assert len(taken) < FLOOD, "a queue that takes everything is not bounded"
            await asyncio.gather(*taken)
            await process.log.append(ONE, b"key", b"after")
            assert (await process.log.end(ONE, 0)) == taken[-1].result() + 2

    async def test_a_topic_that_was_not_set_up_is_refused(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await raises(StorageUnavailable, process.log.append(Topic("exam.absent"), b"", b""))
            await raises(StorageUnavailable, process.log.end(Topic("exam.absent"), 0))
            await raises(StorageUnavailable, process.log.subscribe(Topic("exam.absent"), "group"))

    async def test_read_gives_all_that_was_made_since_a_time_below_an_end(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            await process.upkeep.setup([FOUR])
            for number in range(20):
                await fill(process.log, FOUR, 1, first=number)
                await clock.sleep(0.01)
            everything = await read(process.log, FOUR, 2)
            assert [message.value for message in everything] == [b"%d/2" % number for number in range(20)]
            for since in (0, everything[7].made, everything[7].made + 1, everything[19].made, everything[19].made + 1000):
                for end in (0, everything[3].offset, everything[12].offset, everything[19].offset + 1):
                    check_read(everything, await read(process.log, FOUR, 2, since, end), since, end)

    async def test_read_goes_on_where_it_is_told_to(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            await process.upkeep.setup([ONE])
            for number in range(20):
                await fill(process.log, ONE, 1, first=number)
                await clock.sleep(0.01)
            everything = await read(process.log, ONE, 0)
            places = [everything[0].offset, everything[5].offset, everything[12].offset, everything[19].offset + 1]
            for since in (0, everything[7].made, everything[19].made + 1000):
                for start in (*places, 1000):
                    for end in places:
                        check_read(everything, await read(process.log, ONE, 0, since, end, start), since, end, start)

    async def test_read_finds_what_was_made_by_a_clock_that_is_off(self) -> None:
        clocks = [self.clock(5.0), self.clock(-5.0)]
        async with self.deployment() as deployment:
            process = await deployment.process(clocks[0])
            for turn in range(6):
                if turn and deployment.features.processes:
                    process = await deployment.process(clocks[turn % 2])
                elif turn and deployment.features.durable:
                    await process.stop()
                    process = await deployment.process(clocks[turn % 2])
                await process.upkeep.setup([ONE])
                await fill(process.log, ONE, 3, first=turn * 3)
                await clocks[0].sleep(1.0)
            everything = await read(process.log, ONE, 0)
            assert len(everything) == 18
            end = await process.log.end(ONE, 0)
            for since in sorted({message.made for message in everything}):
                check_read(everything, await read(process.log, ONE, 0, since), since, end)

    async def test_read_goes_past_groups_and_comes_in_batches(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([ONE])
            member = await self.member(process, ONE)
            for _ in range(10):
                await asyncio.gather(*[process.log.append(ONE, b"key", bytes(4000)) for _ in range(200)])
            end = await process.log.end(ONE, 0)
            batches: list[Sequence[Message]] = [batch async for batch in process.log.read(ONE, 0, 0, end)]
            assert sum(map(len, batches)) == 2000
            assert max(map(len, batches)) < 2000
            assert min(map(len, batches)) > 0
            await member.gets(2000)

    async def test_read_that_is_left_half_way_disturbs_nothing(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([ONE])
            await asyncio.gather(*[process.log.append(ONE, b"key", bytes(4000)) for _ in range(500)])
            reading = process.log.read(ONE, 0, 0, 500)
            async for _ in reading:
                break
            await process.log.append(ONE, b"key", b"after")
            assert len(await read(process.log, ONE, 0)) == 501

    async def test_closing_ends_a_read_that_is_half_way(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([ONE])
            await asyncio.gather(*[process.log.append(ONE, b"key", bytes(4000)) for _ in range(500)])
            reading = aiter(process.log.read(ONE, 0, 0, 500))
            await anext(reading)
            await process.log.close()
            await raises(Closed, anext(reading))

    async def test_messages_are_kept_as_long_as_declared_and_the_end_stays(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            await process.upkeep.setup([KEEP])
            await fill(process.log, KEEP, 3)
            await clock.sleep(KEEP.keep / 2)
            await process.upkeep.sweep(clock.millis())
            assert len(await read(process.log, KEEP, 0)) == 3
            end = await process.log.end(KEEP, 0)
            await clock.sleep(KEEP.keep / 2 + 1)
            await swept(process.upkeep, clock.millis())
            assert await process.log.end(KEEP, 0) == end
            assert await read(process.log, KEEP, 0) == []
            member = await self.member(process, KEEP)
            await member.until(lambda: 0 in member.owned)
            offset = await process.log.append(KEEP, b"key", b"after")
            assert offset >= end
            await member.until(lambda: member.values == [b"after"])

    async def test_who_is_behind_when_messages_are_deleted_goes_on_with_what_is_left(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            await process.upkeep.setup([KEEP])
            behind = await process.log.subscribe(KEEP, "behind")
            await asyncio.gather(*[process.log.append(KEEP, b"key", bytes(1000)) for _ in range(1000)])
            came = 0
            while not came:
                event = await behind.receive()
                came = len(event.messages) if isinstance(event, Delivered) else 0
            assert came < 1000
            await clock.sleep(KEEP.keep + 1)
            await swept(process.upkeep, clock.millis())
            await asyncio.gather(*[process.log.append(KEEP, b"key", b"%d" % number) for number in range(10)])
            expected = [b"%d" % number for number in range(10)]
            left: list[bytes] = []
            async with asyncio.timeout(self.limit):
                while left[-1:] != expected[-1:]:  # what had been fetched before it was deleted may come first
                    event = await behind.receive()
                    left += [message.value for message in event.messages] if isinstance(event, Delivered) else []
            assert left[-10:] == expected
            assert set(left[:-10]) <= {bytes(1000)}
            assert len(await read(process.log, KEEP, 0)) == 10

    async def test_a_broadcast_reaches_who_listens_at_that_moment(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([WAKE])
            await process.log.append(WAKE, b"key", b"before")
            one, two = await process.log.subscribe(WAKE, None), await process.log.subscribe(WAKE, None)
            await asyncio.gather(*[process.log.append(WAKE, b"key", b"%d" % number) for number in range(5)])
            late = await process.log.subscribe(WAKE, None)
            await process.log.append(WAKE, b"key", b"last")
            for listener, expected in ((one, 6), (two, 6), (late, 1)):
                messages = await self.take(listener, expected)
                assert [message.value for message in messages] == [b"0", b"1", b"2", b"3", b"4", b"last"][-expected:]

    async def test_a_broadcast_reaches_every_process(self) -> None:
        async with self.deployment() as deployment:
            if not deployment.features.processes:
                return  # that it refuses a second process is proved by `UpkeepExam`
            processes = [await deployment.process(self.clock()) for _ in range(3)]
            for process in processes:
                await process.upkeep.setup([WAKE])
            listeners = [await process.log.subscribe(WAKE, None) for process in processes]
            for number, process in enumerate(processes):
                await process.log.append(WAKE, b"key", b"%d" % number)
            for listener in listeners:
                assert {message.value for message in await self.take(listener, 3)} == {b"0", b"1", b"2"}

    async def test_a_listener_that_does_not_receive_holds_up_nobody(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([WAKE])
            await process.log.subscribe(WAKE, None)
            busy = await process.log.subscribe(WAKE, None)
            for _ in range(100):
                await asyncio.gather(*[process.log.append(WAKE, b"key", bytes(1000)) for _ in range(100)])
                await self.take(busy, 100)

    async def test_a_listener_has_no_position_and_no_partition(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([WAKE])
            listener = await process.log.subscribe(WAKE, None)
            await listener.commit(0, 1)
            await listener.release(0)
            await process.log.append(WAKE, b"key", b"value")
            assert [message.value for message in await self.take(listener, 1)] == [b"value"]
            waiting = asyncio.ensure_future(listener.receive())
            await listener.close()
            await raises(Closed, waiting)
            await raises(Closed, listener.receive())

    async def test_closing_finishes_what_is_at_hand_and_refuses_what_comes_after(self) -> None:
        async with self.deployment() as deployment:
            process = await deployment.process(self.clock())
            await process.upkeep.setup([ONE, WAKE])
            listener = await process.log.subscribe(WAKE, None)
            at_hand = [process.log.append(ONE, b"key", b"value") for _ in range(100)]
            await process.log.close()
            assert all(appending.done() and appending.exception() is None for appending in at_hand)
            await raises(Closed, process.log.append(ONE, b"key", b"value"))
            await raises(Closed, process.log.append(WAKE, b"key", b"value"))
            await raises(Closed, process.log.end(ONE, 0))
            await raises(Closed, process.log.subscribe(ONE, "group"))
            await raises(Closed, read(process.log, ONE, 0, 0, 1))
            await raises(Closed, listener.receive())

    async def take(self, listener: Subscription, count: int) -> list[Message]:
        """The next `count` messages of a listener."""
        messages: list[Message] = []
        async with asyncio.timeout(self.limit):
            while len(messages) < count:
                event = await listener.receive()
                assert isinstance(event, Delivered), "a listener only ever gets messages"
                messages += event.messages
        return messages


def check_read(everything: Sequence[Message], came: Sequence[Message], since: int, end: int, start: int = 0) -> None:
    """`came` is in order, from `start` on, below `end`, without gaps, and lacks nothing that was made since `since`."""
    within = [message for message in everything if start <= message.offset < end]
    left_out = len(within) - len(came)
    assert within[left_out:] == list(came)
    assert all(message.made < since for message in within[:left_out])

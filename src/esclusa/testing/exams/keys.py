"""The exam of the keys port."""

from __future__ import annotations

import asyncio

from esclusa.kernel.errors import Closed
from esclusa.testing.exams.deployment import Exam, cancelled, end, raises, waited

MINUTE_MS = 60_000


def id_of(number: int) -> bytes:
    """An id: 16 bytes."""
    return number.to_bytes(16, "big")


def secret_of(number: int) -> bytes:
    """A secret: 32 bytes."""
    return number.to_bytes(4, "big") * 8


class KeysExam(Exam):
    """What `esclusa.ports.keys` promises."""

    async def test_a_key_comes_as_it_was_made(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            keys = (await deployment.process(clock)).keys
            await asyncio.gather(
                *[keys.make(id_of(number), secret_of(number), clock.millis() + MINUTE_MS) for number in range(300)]
            )
            for number in range(300):
                assert await keys.get(id_of(number)) == secret_of(number)
            assert await keys.get(id_of(300)) is None

    async def test_the_same_key_again_changes_nothing(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            keys = (await deployment.process(clock)).keys
            dies = clock.millis() + MINUTE_MS
            await asyncio.gather(*[keys.make(id_of(1), secret_of(1), dies) for _ in range(3)])
            await keys.make(id_of(1), secret_of(1), dies)
            assert await keys.get(id_of(1)) == secret_of(1)
            await clock.sleep(60.1)
            assert await keys.destroy(clock.millis()) == 1

    async def test_a_key_is_unknown_from_its_time_on_destroyed_or_not(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            keys = (await deployment.process(clock)).keys
            await keys.make(id_of(1), secret_of(1), clock.millis() + 1000)
            await clock.sleep(0.9)
            assert await keys.get(id_of(1)) == secret_of(1)
            await clock.sleep(0.2)
            assert await keys.get(id_of(1)) is None
            await keys.make(id_of(2), secret_of(2), clock.millis() - 1)
            assert await keys.get(id_of(2)) is None

    async def test_destroy_takes_those_that_are_dead_and_no_others(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            keys = (await deployment.process(clock)).keys
            start = clock.millis()
            for number in range(10):
                await keys.make(id_of(number), secret_of(number), start + number * 1000 + 500)
            await clock.sleep(5)
            assert await keys.destroy(start) == 0
            assert await keys.destroy(start + 3000) == 3
            assert await keys.destroy(clock.millis() + MINUTE_MS) == 2
            assert [await keys.get(id_of(number)) for number in range(10)] == [None] * 5 + [secret_of(n) for n in range(5, 10)]
            await clock.sleep(6)
            assert await keys.destroy(clock.millis()) == 5
            assert await keys.destroy(clock.millis()) == 0

    async def test_the_room_of_the_dead_is_used_again(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            keys = (await deployment.process(clock)).keys
            for turn in range(5):
                ids = range(turn * 20, turn * 20 + 20)
                await asyncio.gather(*[keys.make(id_of(n), secret_of(n), clock.millis() + 1000) for n in ids])
                assert [await keys.get(id_of(n)) for n in ids] == [secret_of(n) for n in ids]
                await clock.sleep(1.5)
                assert await keys.destroy(clock.millis()) == 20

    async def test_a_key_made_by_one_process_is_readable_by_all(self) -> None:
        async with self.deployment() as deployment:
            if not deployment.features.processes:
                return  # that it refuses a second process is proved by `UpkeepExam`
            clock = self.clock()
            processes = [await deployment.process(clock) for _ in range(3)]
            for number, process in enumerate(processes):
                await process.keys.make(id_of(number), secret_of(number), clock.millis() + 1000)
                for other in processes:
                    assert await other.keys.get(id_of(number)) == secret_of(number)
            await clock.sleep(2)
            assert await processes[0].keys.destroy(clock.millis()) == 3

    async def test_what_is_cancelled_harms_nothing(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            keys = (await deployment.process(clock)).keys
            for turns in range(8):
                dies = clock.millis() + 1000
                await cancelled(clock, turns % 4, waited(keys.make(id_of(turns), secret_of(turns), dies)))
                assert await keys.get(id_of(turns)) in (None, secret_of(turns))
                await keys.make(id_of(turns), secret_of(turns), dies)
                assert await keys.get(id_of(turns)) == secret_of(turns)
                await clock.sleep(1.1)
                await cancelled(clock, turns % 4, keys.destroy(clock.millis()))
                await keys.destroy(clock.millis())
                assert await keys.destroy(clock.millis()) == 0

    async def test_closing_finishes_what_is_at_hand_and_refuses_what_comes_after(self) -> None:
        clock = self.clock()
        async with self.deployment() as deployment:
            keys = (await deployment.process(clock)).keys
            dies = clock.millis() + MINUTE_MS
            at_hand = [keys.make(id_of(number), secret_of(number), dies) for number in range(50)]
            await keys.close()
            assert all(making.done() and making.exception() is None for making in at_hand)
            await raises(Closed, keys.make(id_of(99), secret_of(99), dies))
            await raises(Closed, keys.get(id_of(1)))
            await raises(Closed, keys.destroy(dies))

    async def test_keys_outlive_a_process_that_was_stopped_until_they_die(self) -> None:
        await self.outlive(kill=False)

    async def test_keys_outlive_a_process_that_was_killed_until_they_die(self) -> None:
        await self.outlive(kill=True)

    async def outlive(self, *, kill: bool) -> None:
        """Keys are there when a process is started after the last one has ended; or none is."""
        clock = self.clock()
        async with self.deployment() as deployment:
            process = await deployment.process(clock)
            for number in range(10):
                await process.keys.make(id_of(number), secret_of(number), clock.millis() + (1000 if number < 5 else MINUTE_MS))
            await clock.sleep(2)
            assert await process.keys.destroy(clock.millis()) == 5
            await process.keys.make(id_of(10), secret_of(10), clock.millis() + 1000)
            await end(process, kill=kill)
            process = await deployment.process(clock)
            there = [secret_of(number) if deployment.features.durable else None for number in range(5, 11)]
            assert [await process.keys.get(id_of(number)) for number in range(11)] == [None] * 5 + there
            await clock.sleep(2)
            assert await process.keys.get(id_of(10)) is None
            assert await process.keys.destroy(clock.millis()) == int(deployment.features.durable)

"""One lifecycle for every part: start in order, drain and stop in reverse, and no death in silence."""

from __future__ import annotations

import asyncio

import pytest

from esclusa.kernel.errors import PartDied
from esclusa.kernel.lifecycle import Background, Lifecycle, Part
from esclusa.testing.virtual import settle

pytestmark = pytest.mark.virtual_time


class Told:
    """A part that says what is done to it."""

    def __init__(self, name: str, said: list[str], *, fails: str = "", hangs: str = "") -> None:
        self.background = Background(name)
        self.name = name
        self.said = said
        self.fails = fails
        self.hangs = hangs

    async def do(self, what: str) -> None:
        self.said.append(f"{what} {self.name}")
        if self.hangs == what:
            await asyncio.Event().wait()
        if self.fails == what:
            raise RuntimeError(what)

    async def start(self) -> None:
        await self.do("start")

    async def drain(self) -> None:
        await self.do("drain")

    async def stop(self) -> None:
        await self.do("stop")
        await self.background.cancel()


async def test_parts_start_in_order_and_end_in_reverse() -> None:
    said: list[str] = []
    lifecycle = Lifecycle([Told("a", said), Told("b", said)])
    async with lifecycle:
        ready = lifecycle.ready
    assert ready
    assert not lifecycle.ready
    assert said == ["start a", "start b", "drain b", "drain a", "stop b", "stop a"]


async def test_parts_side_by_side_are_drained_together_and_stopped_in_reverse() -> None:
    said: list[str] = []
    row = [Told("b", said, hangs="drain"), Told("c", said, hangs="drain", fails="stop"), Told("d", said, fails="drain")]
    lifecycle = Lifecycle([Told("a", said), row, Told("e", said)], drain=5)
    await lifecycle.start()
    assert lifecycle.ready
    before = asyncio.get_running_loop().time()
    with pytest.raises(ExceptionGroup) as told:
        await lifecycle.close()
    assert len(told.value.exceptions) == 2
    assert 5 <= asyncio.get_running_loop().time() - before < 6
    assert said[:5] == ["start a", "start b", "start c", "start d", "start e"]
    assert said[5] == "drain e"
    assert sorted(said[6:9]) == ["drain b", "drain c", "drain d"]
    assert said[9:] == ["drain a", "stop e", "stop d", "stop c", "stop b", "stop a"]


async def test_of_parts_side_by_side_only_those_that_started_are_ended() -> None:
    said: list[str] = []
    with pytest.raises(RuntimeError, match="start"):
        await Lifecycle([[Told("a", said), Told("b", said, fails="start"), Told("c", said)]]).start()
    assert said == ["start a", "start b", "drain a", "stop a"]


async def test_a_part_that_does_not_start_takes_back_those_before_it() -> None:
    said: list[str] = []
    with pytest.raises(RuntimeError, match="start"):
        await Lifecycle([Told("a", said), Told("b", said, fails="start"), Told("c", said)]).start()
    assert said == ["start a", "start b", "drain a", "stop a"]


async def test_a_part_that_does_not_drain_in_its_time_is_stopped_all_the_same() -> None:
    said: list[str] = []
    async with Lifecycle([Told("a", said), Told("b", said, hangs="drain"), Told("c", said)], drain=3):
        pass
    assert said[-3:] == ["stop c", "stop b", "stop a"]


@pytest.mark.parametrize("what", ["drain", "stop"])
async def test_a_part_that_fails_at_the_end_is_told_after_the_others_have_stopped(what: str) -> None:
    said: list[str] = []
    with pytest.raises(ExceptionGroup) as failed:
        async with Lifecycle([Told("a", said), Told("b", said, fails=what)]):
            pass
    assert said[-1] == "stop a"
    assert failed.group_contains(RuntimeError)


async def test_the_death_of_a_part_ends_all_in_order() -> None:
    said: list[str] = []
    part = Told("b", said)

    async def work() -> None:
        raise ValueError("broken")

    lifecycle = Lifecycle([Told("a", said), part])

    async def run() -> None:
        async with lifecycle:
            part.background.spawn("work", work())
            await lifecycle.ended()

    with pytest.raises(PartDied, match="broken") as died:
        await run()
    assert died.value.part == "b.work"
    assert isinstance(died.value.__cause__, ValueError)
    assert said[-2:] == ["stop b", "stop a"]


async def test_a_death_during_the_start_is_not_forgotten() -> None:
    said: list[str] = []
    part = Told("a", said)

    async def work() -> None:
        raise ValueError("broken")

    part.background.spawn("work", work())
    await settle()
    lifecycle = Lifecycle([part])
    with pytest.raises(PartDied):
        async with lifecycle:
            await lifecycle.ended()


async def test_a_start_is_cut_short_by_the_end_whatever_it_waits_for() -> None:
    said: list[str] = []
    lifecycle = Lifecycle([Told("a", said), Told("b", said, hangs="start"), Told("c", said)])
    starting = asyncio.ensure_future(lifecycle.start())
    await settle()
    assert not starting.done()
    lifecycle.end()
    await starting
    assert not lifecycle.ready
    await lifecycle.ended()
    await lifecycle.close()
    assert said == ["start a", "start b", "drain a", "stop a"], "who has not started has undone what it began"


async def test_a_start_is_cut_short_by_the_death_of_a_part_that_has_started() -> None:
    said: list[str] = []
    first = Told("a", said)

    async def work() -> None:
        raise ValueError("broken")

    starting = asyncio.ensure_future(Lifecycle([first, Told("b", said, hangs="start")]).start())
    await settle()
    first.background.spawn("work", work())
    with pytest.raises(PartDied):
        await starting
    assert said == ["start a", "start b", "drain a", "stop a"]


async def test_who_is_cancelled_while_it_starts_leaves_nothing_started() -> None:
    said: list[str] = []
    starting = asyncio.ensure_future(Lifecycle([Told("a", said), Told("b", said, hangs="start")]).start())
    await settle()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert said == ["start a", "start b", "drain a", "stop a"]


async def test_how_a_part_is_started_may_be_said() -> None:
    said: list[str] = []

    async def twice(part: Part) -> None:
        await part.start()
        await part.start()

    async with Lifecycle([Told("a", said)], start=twice) as lifecycle:
        assert lifecycle.ready
    assert said == ["start a", "start a", "drain a", "stop a"]


async def test_a_guarded_block_is_cut_off_by_the_death_of_a_part() -> None:
    part = Told("a", [])

    async def work() -> None:
        raise ValueError("broken")

    async def block() -> None:
        async with Lifecycle([part]) as lifecycle, lifecycle.guard():
            part.background.spawn("work", work())
            await asyncio.Event().wait()

    task = asyncio.ensure_future(block())
    with pytest.raises(PartDied):
        await task


async def test_a_guarded_blocks_own_errors_and_cancellation_pass_through() -> None:
    with pytest.raises(KeyError):
        async with Lifecycle([]) as lifecycle, lifecycle.guard():
            raise KeyError("mine")

    async def block() -> None:
        async with Lifecycle([]) as lifecycle, lifecycle.guard():
            await asyncio.Event().wait()

    task = asyncio.ensure_future(block())
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_end_is_what_a_signal_does() -> None:
    lifecycle = Lifecycle([])
    async with lifecycle:
        waiting = asyncio.ensure_future(lifecycle.ended())
        await settle()
        lifecycle.end()
        await waiting


async def test_closing_goes_to_its_end_even_if_who_closes_is_cancelled() -> None:
    said: list[str] = []
    lifecycle = Lifecycle([Told("a", said), Told("b", said, hangs="drain")], drain=3)
    await lifecycle.start()
    closing = asyncio.ensure_future(lifecycle.close())
    await settle()
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert said[-2:] == ["stop b", "stop a"]


async def test_ended_before_the_start_is_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        await Lifecycle([]).ended()

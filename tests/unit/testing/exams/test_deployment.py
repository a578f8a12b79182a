"""What all exams share: ending processes, sweeping to the end, cancelling at every turn, expecting errors."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

import pytest

from esclusa.engines.memory import MemoryEngine
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Closed, StorageBusy, StorageError
from esclusa.ports.log import Topic
from esclusa.ports.upkeep import Lag, Made, Swept
from esclusa.testing.exams import Exam
from esclusa.testing.exams.deployment import Deployment, cancelled, end, raises, swept, waited
from esclusa.testing.virtual import EPOCH, VirtualLoop

pytestmark = pytest.mark.virtual_time


class Heap:
    """Upkeep of an engine with so many rows to sweep, of which it takes a few at a time."""

    def __init__(self, rows: int, most: int) -> None:
        self.rows = rows
        self.most = most

    async def setup(self, _: Sequence[Topic]) -> list[Made]:
        return []

    async def check(self) -> None:
        """Nothing."""

    async def lag(self, _: Sequence[Topic]) -> list[Lag]:
        return []

    async def sweep(self, _: int) -> Swept:
        gone = min(self.rows, self.most)
        self.rows -= gone
        return Swept(gone, self.rows)


async def test_it_is_swept_until_nothing_is_left() -> None:
    assert await swept(Heap(rows=25, most=10), 0) == 25
    assert await swept(Heap(rows=0, most=10), 0) == 0


async def test_a_sweep_that_gets_nowhere_is_found_out() -> None:
    with pytest.raises(AssertionError, match="for ever"):
        await swept(Heap(rows=25, most=0), 0)


async def test_work_is_cancelled_after_so_many_turns_and_its_result_counts_if_it_was_done() -> None:
    clock = Clock(epoch=EPOCH)
    turns: list[int] = []

    async def work() -> str:
        for turn in range(3):
            turns.append(turn)
            await asyncio.sleep(0)
        return "done"

    assert await cancelled(clock, 2, work()) is None
    assert turns == [0, 1]
    assert await cancelled(clock, 10, work()) == "done"
    assert await cancelled(clock, 0, work()) is None
    assert turns == [0, 1, 0, 1, 2], "cancelled before its first turn it has not begun"


async def test_an_error_of_the_work_is_not_taken_for_its_being_cancelled() -> None:
    async def work() -> None:
        raise StorageBusy

    with pytest.raises(StorageBusy):
        await cancelled(Clock(epoch=EPOCH), 5, work())


async def test_what_has_to_raise_and_does_not_is_found_out() -> None:
    async def closed() -> None:
        raise Closed

    async def well() -> None:
        """Nothing."""

    await raises(Closed, closed())
    await raises(StorageError, closed())
    with pytest.raises(AssertionError, match="Closed was to be raised"):
        await raises(Closed, well())
    with pytest.raises(Closed):
        await raises(StorageBusy, closed())


async def test_what_is_a_future_can_be_a_coroutine() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    waiting = asyncio.ensure_future(waited(future))
    future.set_result(7)
    assert await waiting == 7


@pytest.mark.parametrize("kill", [False, True])
async def test_a_process_is_ended_in_order_or_not(kill: bool) -> None:
    engine = MemoryEngine(Clock(epoch=EPOCH))
    await end(engine, kill=kill)
    assert engine.ended
    with pytest.raises(Closed):
        await engine.records.read(b"key")


class Trial(Exam):
    """An exam of nothing."""

    def deployment(self) -> AbstractAsyncContextManager[Deployment]:
        raise AssertionError("nothing is deployed")


async def test_an_exams_clocks_are_of_virtual_time_and_may_be_off() -> None:
    trial = Trial()
    assert trial.clock().now() == EPOCH
    assert trial.clock(skew=-2.5).now() == EPOCH - 2.5


def test_an_exams_examples_run_in_virtual_time() -> None:
    ran: list[bool] = []

    async def example() -> None:
        ran.append(isinstance(asyncio.get_running_loop(), VirtualLoop))

    Trial().run(example())
    assert ran == [True]


def test_an_exam_needs_to_be_told_how_the_engine_is_started() -> None:
    with pytest.raises(TypeError, match="deployment"):
        Exam()  # type: ignore[abstract]  # that is the test

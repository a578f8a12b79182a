"""Virtual time: minutes that take none, at exactly their moments, in the same order at every run."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from esclusa.testing.virtual import Stuck, VirtualLoop, run, settle


def test_an_hour_takes_no_time_and_ends_at_its_moment() -> None:
    async def main() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    before = monotonic()
    assert run(main()) == 3600
    assert monotonic() - before < 5


def test_timers_go_off_in_the_order_of_their_moments_and_those_of_one_moment_as_they_were_set() -> None:
    async def main() -> list[str]:
        said: list[str] = []
        loop = asyncio.get_running_loop()
        for when, name in ((3, "c"), (1, "a"), (2, "b"), (2, "b, later")):
            loop.call_later(when, said.append, name)
        await asyncio.sleep(10)
        return said

    assert run(main()) == ["a", "b", "b, later", "c"]


def test_time_stands_still_while_anything_can_run() -> None:
    async def main() -> float:
        for _ in range(1000):
            await asyncio.sleep(0)
        return asyncio.get_running_loop().time()

    assert run(main()) == 0


def test_a_timeout_is_over_at_exactly_its_moment() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.sleep(60.001)
        return asyncio.get_running_loop().time()

    assert run(main()) == 60


def test_what_will_never_come_is_told_instead_of_waited_for() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Stuck):
        run(main())


def test_work_in_a_thread_is_waited_for_and_takes_no_time() -> None:
    async def main() -> tuple[str, float]:
        go = threading.Event()

        def work() -> str:
            go.wait(10)
            return "done"

        loop = asyncio.get_running_loop()
        loop.call_later(5, lambda: said.append("five seconds"))
        with ThreadPoolExecutor(1) as executor:
            working = loop.run_in_executor(executor, work)
            go.set()
            return await working, loop.time()

    said: list[str] = []
    assert run(main()) == ("done", 0)
    assert said == [], "a timer does not go off while a thread is at work"


def test_to_settle_is_to_let_everything_run_that_can() -> None:
    async def main() -> list[int]:
        said: list[int] = []

        async def chain(number: int) -> None:
            said.append(number)
            if number < 50:
                await asyncio.sleep(0)
                await asyncio.ensure_future(chain(number + 1))

        task = asyncio.ensure_future(chain(0))
        asyncio.get_running_loop().call_later(0.001, said.append, -1)
        await settle()
        assert task.done()
        return said

    assert run(main()) == list(range(51))


def test_settling_waits_for_threads() -> None:
    async def main() -> bool:
        with ThreadPoolExecutor(1) as executor:
            working = asyncio.get_running_loop().run_in_executor(executor, threading.Event().wait, 0.01)
            await settle()
            return working.done()

    assert run(main())


async def test_only_the_virtual_loop_knows_when_it_is_idle() -> None:
    with pytest.raises(TypeError, match="virtual"):
        await settle()


@pytest.mark.virtual_time
async def test_a_test_that_is_marked_runs_in_virtual_time() -> None:
    assert isinstance(asyncio.get_running_loop(), VirtualLoop)
    await asyncio.sleep(1_000_000)


def test_the_default_executor_can_be_used() -> None:
    async def main() -> int:
        return await asyncio.to_thread(lambda: 7)

    assert run(main()) == 7

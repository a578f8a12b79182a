"""Functions that block have threads of their own, which keep nobody from ending."""

from __future__ import annotations

import asyncio
import threading

import pytest

from esclusa.connectors.function.threads import Threads


async def test_it_returns_and_raises_as_the_function_does() -> None:
    threads = Threads("f", 2)
    assert await threads.run(lambda a, b: a + b, 1, 2) == 3

    def fails() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await threads.run(fails)
    await threads.close()


async def test_what_a_future_can_not_carry_is_an_error_all_the_same() -> None:
    def ends(kind: type[BaseException]) -> None:
        raise kind

    threads = Threads("f", 1)
    for kind in (StopIteration, SystemExit, asyncio.CancelledError):
        with pytest.raises(RuntimeError, match=kind.__name__):
            await threads.run(ends, kind)
    assert await threads.run(int) == 0, "its thread lives"
    await threads.close()


async def test_threads_that_can_not_be_begun_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = Threads("f", 1)

    def refuses(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuses)
        for _ in range(3):
            with pytest.raises(RuntimeError, match="can't start"):
                await threads.run(int)
    assert await threads.run(int) == 0
    await threads.close()


def counted() -> int:
    return sum(thread.name.startswith("counted ") for thread in threading.enumerate())


async def test_no_more_threads_than_told() -> None:
    threads, gate = Threads("counted", 2), threading.Event()
    waiting = [asyncio.ensure_future(threads.run(gate.wait)) for _ in range(4)]
    await asyncio.sleep(0)
    assert counted() == 2
    gate.set()
    assert await asyncio.gather(*waiting) == [True] * 4
    await threads.close()


async def test_a_thread_ends_once_it_is_closed() -> None:
    threads = Threads("counted", 1)
    await threads.run(int)
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "counted 1"]
    await threads.close()
    thread.join(5)
    assert not thread.is_alive()


async def test_functions_that_hang_keep_their_threads_and_no_more() -> None:
    threads, gate, ran = Threads("hung", 1), threading.Event(), list[int]()
    hung = asyncio.ensure_future(threads.run(gate.wait))
    behind = asyncio.ensure_future(threads.run(ran.append, 1))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await threads.run(ran.append, 2)
    behind.cancel()
    gate.set()
    assert await hung
    assert await threads.run(len, "abc") == 3
    assert ran == [], "what nobody waited for any more was not run"
    await threads.close()


async def test_once_closed_nothing_is_run() -> None:
    threads = Threads("f", 1)
    await threads.close()
    with pytest.raises(RuntimeError):
        await threads.run(int)

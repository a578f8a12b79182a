"""Threads for functions that block.

Not the standard library's pool, because that waits for its threads when the program ends: a function that hangs would keep
the program from ending. These are daemons.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
Job = tuple[Callable[[], Any], asyncio.Future[Any]]


class Threads:
    """At most `count` threads, begun as they are needed. What is cancelled before its turn is never run.

    Functions that hang keep their threads: once as many as there are threads wait behind them, nothing more is taken.
    """

    def __init__(self, name: str, count: int) -> None:
        self._name = name
        self._count = count
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._begun = 0
        self._busy = 0
        """Jobs that have been handed over and are not over, whether or not somebody waits for them."""
        self._closed = False

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """What `function(*arguments)` returns or raises, in a thread. `TimeoutError` where none will be free soon.

        Cancelling it leaves a function that runs to its fate.
        """
        if self._closed:
            raise RuntimeError("the threads are closed")
        if self._busy >= 2 * self._count:
            raise TimeoutError("every thread is busy with a function that does not end")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if self._busy >= self._begun < self._count:
            name = f"{self._name} {self._begun + 1}"
            threading.Thread(target=self._work, args=(loop,), name=name, daemon=True).start()
            self._begun += 1
        self._busy += 1
        self._jobs.put((lambda: function(*arguments), future))
        return await future

    async def close(self) -> None:
        """Begin nothing more. A thread ends after the function that it runs."""
        self._closed = True
        for _ in range(self._begun):
            self._jobs.put(None)

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while (job := self._jobs.get()) is not None:
            call, future = job
            result: Any = None
            error: BaseException | None = None
            if not future.cancelled():
                try:
                    result = call()
                except BaseException as raised:  # noqa: BLE001 - whoever waits for it is told, whatever it is
                    error = raised
            try:
                loop.call_soon_threadsafe(self._over, future, result, error)
            except RuntimeError:  # the loop has been closed: nobody waits any more
                return

    def _over(self, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        self._busy -= 1
        if future.done():
            return
        if error is None:
            future.set_result(result)
        elif isinstance(error, Exception) and not isinstance(error, StopIteration):
            future.set_exception(error)
        else:
            future.set_exception(RuntimeError(f"the function ended with {type(error).__name__}"))

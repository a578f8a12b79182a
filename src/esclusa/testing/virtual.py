"""Virtual time: an event loop whose clock stands still while anything can run and jumps when nothing can.

A minute's timeout then takes no time at all and happens at exactly its moment, in an order that is the same at every
run. Threads are waited for: as long as work is in an executor, time stands still.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")
EPOCH = 1_800_000_000.0
"""Wall time at the start of a virtual loop, for `Clock(epoch=EPOCH)`: 2027-01-15T08:00:00Z."""


class Stuck(AssertionError):
    """Nothing can run and no timer is set: what is waited for will never come."""


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for a timer, moves its loop's time to it."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.loop.outside:
            return super().select(1.0)
        if timeout is None:
            msg = "nothing can run and no timer is set"
            raise Stuck(msg)
        self.loop.jump(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop in virtual time. No sockets: what comes from outside has no time of its own."""

    def __init__(self) -> None:
        self._virtual = 0.0
        self.outside = 0
        """How many calls are in executors: while there are any, time stands still."""
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual

    def jump(self, seconds: float) -> None:
        """Move time on."""
        self._virtual += seconds

    async def idle(self) -> None:
        """Return when every other callback has run and only timers are left."""
        while True:
            await asyncio.sleep(0)
            if not self._ready and not self.outside:  # type: ignore[attr-defined]  # asyncio's own queue, of every version
                return

    def run_in_executor(self, executor: Executor | None, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]  # typeshed types *args by a TypeVarTuple
        """As asyncio's; time stands still until it is done."""
        self.outside += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._came_back)
        return future

    async def shutdown_default_executor(self, *arguments: Any) -> None:
        """As asyncio's, which has a limit from Python 3.12 on; time stands still meanwhile."""
        self.outside += 1
        try:
            await super().shutdown_default_executor(*arguments)
        finally:
            self.outside -= 1

    def _came_back(self, _: object) -> None:
        self.outside -= 1


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


async def settle() -> None:
    """Return when nothing more can run before time moves on. On the virtual loop only."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        raise TypeError("only the virtual loop knows when it is idle")
    await loop.idle()

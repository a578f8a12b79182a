"""One lifecycle for every part that lives long: start, (ready), drain, stop.

Parts start in the order given and are drained and stopped in the reverse one; those that stand side by side are drained
together. A part that dies is never silent: the lifecycle ends with its error, and its neighbours are drained and stopped in
order.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol, Self

from esclusa.kernel.errors import PartDied


class Part(Protocol):
    """Something that is started once and stopped once."""

    async def start(self) -> None:
        """Return when ready for work. If it raises, what it began is undone."""

    async def drain(self) -> None:
        """Take no new work and finish what is at hand; bounded by the part's own limit."""

    async def stop(self) -> None:
        """Let go of everything. Called once, also after a failed `drain`; never raises for what is already gone."""


Parts = Sequence[Part | Sequence[Part]]
"""In the order of starting. Those in a sequence of their own stand side by side: none needs the others."""


class Background:
    """The tasks of one part. A task that ends with an error is the part's death, and is told at once."""

    def __init__(self, part: str) -> None:
        self._part = part
        self._tasks: set[asyncio.Task[None]] = set()
        self._died: Callable[[BaseException], None] | None = None
        self._early: BaseException | None = None

    def when_dead(self, callback: Callable[[BaseException], None]) -> None:
        """`callback(error)` once a task dies; at once if one has died already."""
        self._died = callback
        if self._early is not None:
            callback(self._early)

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` until it ends or the part stops."""
        task = asyncio.get_running_loop().create_task(work, name=f"{self._part}.{name}")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        death = PartDied(task.get_name(), error)
        if self._died is not None:
            self._died(death)
        elif self._early is None:
            self._early = death

    async def cancel(self) -> None:
        """Cancel what still runs and wait until it has ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Lifecycle:
    """Starts `parts` in order; on the way out drains and stops them in reverse. An async context manager.

    Parts side by side are drained together: so it takes as long as the slowest one, however many there are.
    `drain` is the longest that one part's drain may take, in seconds; after it the part is stopped all the same.
    `start` starts one part, and may try more than once.
    """

    def __init__(
        self, parts: Parts, *, drain: float = 10.0, start: Callable[[Part], Awaitable[None]] = lambda part: part.start()
    ) -> None:
        self._rows = [list(each) if isinstance(each, Sequence) else [each] for each in parts]
        self._parts = [part for row in self._rows for part in row]
        self._drain = drain
        self._start = start
        self._running: list[Part] = []
        self._ended: asyncio.Future[None] | None = None

    @property
    def ready(self) -> bool:
        """All parts are started and none is draining."""
        return self._ended is not None and not self._ended.done() and len(self._running) == len(self._parts)

    async def start(self) -> None:
        """Start every part; if one fails, or one of those before it dies, these are stopped and its error is raised.

        `end` cuts it short, whatever is being waited for: then it returns, not `ready`, and what has been started is for
        `close`.
        """
        self._ended = asyncio.get_running_loop().create_future()
        try:
            for part in self._parts:
                background = getattr(part, "background", None)
                if isinstance(background, Background):
                    background.when_dead(self._fail)
                await self._begin(part, self._ended)
                if self._ended.done():
                    return await self._ended
        except BaseException:
            await self.close()
            raise

    async def _begin(self, part: Part, ended: asyncio.Future[None]) -> None:
        """Start `part`; once the lifecycle has `ended`, it is cut off."""
        starting = asyncio.ensure_future(self._start(part))
        try:
            await asyncio.wait([starting, ended], return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not starting.done():
                starting.cancel()
                await asyncio.wait([starting])
        if not (starting.cancelled() and ended.done()):
            starting.result()
            self._running.append(part)

    def end(self) -> None:
        """Ask the lifecycle to end, as SIGTERM does."""
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)

    def _fail(self, error: BaseException) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_exception(error)

    async def ended(self) -> None:
        """Wait until `end` is called; raises `PartDied` if a part dies before."""
        if self._ended is None:
            msg = "not started"
            raise RuntimeError(msg)
        await asyncio.shield(self._ended)

    @contextlib.asynccontextmanager
    async def guard(self) -> AsyncIterator[None]:
        """Cut the block off when a part dies: its death is raised instead of whatever the block was about."""
        block = asyncio.current_task()
        watch = asyncio.ensure_future(self.ended())

        def told(_: object) -> None:
            if block is not None and not watch.cancelled() and watch.exception() is not None:
                block.cancel()

        watch.add_done_callback(told)
        try:
            yield
        except asyncio.CancelledError:
            death = watch.exception() if watch.done() and not watch.cancelled() else None
            if block is None or death is None:
                raise
            block.uncancel()
            raise death from None
        finally:
            watch.cancel()

    async def close(self) -> None:
        """Drain and stop in reverse order. Runs to its end even if the caller is cancelled meanwhile."""
        closing = asyncio.ensure_future(self._close())
        try:
            await asyncio.shield(closing)
        except asyncio.CancelledError:
            await closing
            raise

    async def _close(self) -> None:
        ended, running = self._ended, self._running
        self.end()
        if ended is not None and ended.done() and not ended.cancelled():
            ended.exception()  # taken note of: `ended()` may have no listener
        self._running = []
        failures: list[Exception] = []
        for row in reversed(self._rows):
            drains = [self._drained(part) for part in row if part in running]
            failures += [failure for failure in await asyncio.gather(*drains) if failure is not None]
        for part in reversed(running):
            try:
                await part.stop()
            except Exception as failure:  # noqa: BLE001 - the others are stopped first, then it is raised
                failures.append(failure)
        if failures:
            raise ExceptionGroup("parts that failed to end", failures)

    async def _drained(self, part: Part) -> Exception | None:
        try:
            async with asyncio.timeout(self._drain):
                await part.drain()
        except TimeoutError:
            pass  # it had its time: what it did not finish is taken up by the next run
        except Exception as failure:  # noqa: BLE001 - a part that can't drain is stopped all the same
            return failure
        return None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

"""A protocol that is written as a coroutine, made into a `Backend`: a task a call, cancelled once it is not wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from esclusa.connectors.backend import Abort, Done, Outcome, Question, Reason
from esclusa.kernel.clock import Clock

LAST_WORDS = 1.0
"""Seconds that cancelled calls are given to end when the back end is closed."""

_CROWDED = Outcome(reason=Reason.BACKEND_ERROR, detail="Calls that should have ended still go on", failure=True, cause="fault")


class CoroutineBackend:
    """`ask(question, by)`, which makes one attempt and returns its `Outcome`, as a `Backend`.

    It is cancelled at `by` (seconds since the epoch), which is a `BACKEND_TIMEOUT`. If it raises, that is a
    `BACKEND_ERROR` that the breaker counts. `idempotent`: whether cutting it, or calling it again, does no harm. `close` is
    awaited once, after the last call.

    What goes on although it is cancelled still runs: beyond twice `concurrency`, the calls at a time that are expected,
    nothing more is asked.
    """

    def __init__(
        self,
        ask: Callable[[Question, float], Coroutine[Any, Any, Outcome]],
        clock: Clock,
        *,
        idempotent: bool,
        concurrency: int,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._idempotent = idempotent
        self._most = 2 * concurrency
        self._close = close
        self._calls: set[_Call] = set()

    @property
    def idempotent(self) -> bool:
        """As given when this was made."""
        return self._idempotent

    def ask(self, question: Question, by: float, done: Done) -> Abort:
        """As `Backend.ask`."""
        if len(self._calls) >= self._most:
            return self._clock.call_at(0.0, done, _CROWDED).cancel
        call = _Call(self._ask(question, by), done, self._calls)
        overdue = Outcome(reason=Reason.BACKEND_TIMEOUT, detail="No answer in time", again=self._idempotent, failure=True)
        call.timer = self._clock.call_at(by, call.end, overdue)
        return call.abort

    async def close(self) -> None:
        """As `Backend.close`. A call that goes on although it is cancelled is waited for no longer than `LAST_WORDS`."""
        tasks = [call.task for call in self._calls]
        for call in list(self._calls):
            call.end(Outcome(reason=Reason.BACKEND_ERROR, detail="The connector was closed"))
        if tasks:
            await asyncio.wait(tasks, timeout=LAST_WORDS)
        if self._close is not None:
            await self._close()


class _Call:
    """One attempt: in `others` for as long as its task runs."""

    __slots__ = ("_done", "_others", "task", "timer")

    def __init__(self, work: Coroutine[Any, Any, Outcome], done: Done, others: set[_Call]) -> None:
        self._done: Done | None = done
        self._others = others
        self.timer: asyncio.TimerHandle | None = None
        self.task = asyncio.get_running_loop().create_task(work)
        self.task.add_done_callback(self._over)
        others.add(self)

    def abort(self) -> None:
        """End it without a word."""
        self._done = None
        self._withdraw()

    def end(self, outcome: Outcome) -> None:
        """End it with `outcome`, if nothing has been told yet."""
        done, self._done = self._done, None
        self._withdraw()
        if done is not None:
            done(outcome)

    def _withdraw(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self.task.cancel()

    def _over(self, task: asyncio.Task[Outcome]) -> None:
        self._others.discard(self)
        if task.cancelled() or task.exception() is not None:
            self.end(Outcome(reason=Reason.BACKEND_ERROR, detail="It could not be asked", failure=True, cause="fault"))
        else:
            self.end(task.result())

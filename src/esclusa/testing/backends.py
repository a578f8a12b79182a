"""A back end that does as it is told, in whatever time its clock keeps: for testing what stands in front of one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from esclusa.connectors.backend import Abort, Done, Outcome, Question, Reason
from esclusa.kernel.clock import Clock

OK = Outcome(data=b"{}")
ERROR = Outcome(reason=Reason.BACKEND_ERROR, detail="It failed", again=True, failure=True)
TIMEOUT = Outcome(reason=Reason.BACKEND_TIMEOUT, detail="No answer in time", again=True, failure=True)

Step = Callable[["Attempt"], None]
"""What the back end does with one attempt. Called within `ask`."""


class Attempt:
    """One attempt as the back end sees it."""

    def __init__(self, backend: ScriptedBackend, question: Question, by: float, done: Done) -> None:
        self._backend = backend
        self._done = done
        self.clock = backend.clock
        self.question = question
        self.at = backend.clock.now()
        """When it was asked, in seconds since the epoch."""
        self.by = by
        """When it has to be over, in seconds since the epoch."""
        self.open = True
        """Not answered and not aborted."""
        self.aborted = False

    def answer(self, outcome: Outcome = OK) -> None:
        """End it now, unless it is over. Never within `ask`."""
        if self.open:
            self.open = False
            self._backend.open.remove(self)
            self._done(outcome)

    def answer_at(self, when: float, outcome: Outcome = OK) -> None:
        """End it at `when` (seconds since the epoch), or in the loop's next turn when that is past."""
        self.clock.call_at(when, self.answer, outcome)

    def abort(self) -> None:
        """As `Backend.ask` promises."""
        if self.open:
            self.open = False
            self.aborted = True
            self._backend.open.remove(self)


def answers(outcome: Outcome = OK, *, after: float = 0.0) -> Step:
    """Ends with `outcome` after so many seconds; with a timeout, if that is past the attempt's time."""

    def step(attempt: Attempt) -> None:
        when = attempt.clock.now() + after
        attempt.answer_at(min(when, attempt.by), outcome if when <= attempt.by else TIMEOUT)

    return step


def data(json: bytes, *, after: float = 0.0) -> Step:
    """Answers OK with `json`."""
    return answers(Outcome(data=json), after=after)


def hangs(attempt: Attempt) -> None:
    """Ends with a timeout when its time is over."""
    attempt.answer_at(attempt.by, TIMEOUT)


def waits(attempt: Attempt) -> None:
    """Ends when the test says `attempt.answer(...)`; never, unless it does: not even at its time."""


def raises(attempt: Attempt) -> None:
    """Breaks its contract: `ask` raises."""
    attempt.abort()
    raise RuntimeError("told to raise")


class ScriptedBackend:
    """Does `step` with every attempt, and before that what it has been told with `then`, in order."""

    def __init__(self, clock: Clock, step: Step | None = None, *, idempotent: bool = True) -> None:
        self.clock = clock
        self.step = step or answers()
        """What it does when nothing else is said; may be changed at any time."""
        self.attempts: list[Attempt] = []
        """All that it has seen, in order."""
        self.open: list[Attempt] = []
        """Those that are not over."""
        self.most = 0
        """The most that were open at a time."""
        self.closed = 0
        """How often it was closed."""
        self._idempotent = idempotent
        self._script: deque[Step] = deque()
        self._watchers: list[tuple[int, asyncio.Future[None]]] = []

    def then(self, *steps: Step) -> None:
        """What it does with the next attempts, one step each."""
        self._script.extend(steps)

    @property
    def idempotent(self) -> bool:
        """As given when this was made."""
        return self._idempotent

    def ask(self, question: Question, by: float, done: Done) -> Abort:
        """As `Backend.ask`, and as told."""
        attempt = Attempt(self, question, by, done)
        self.attempts.append(attempt)
        self.open.append(attempt)
        self.most = max(self.most, len(self.open))
        for watcher in [watcher for watcher in self._watchers if watcher[0] <= len(self.attempts)]:
            self._watchers.remove(watcher)
            if not watcher[1].done():
                watcher[1].set_result(None)
        (self._script.popleft() if self._script else self.step)(attempt)
        return attempt.abort

    async def wait_for_attempts(self, times: int) -> None:
        """Wait until it has seen so many attempts in all."""
        if len(self.attempts) < times:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._watchers.append((times, future))
            await future

    async def close(self) -> None:
        """As `Backend.close`."""
        self.closed += 1
        for attempt in list(self.open):
            attempt.answer(Outcome(reason=Reason.BACKEND_ERROR, detail="The back end was closed"))

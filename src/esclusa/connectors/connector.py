"""One back end under policies: the line, `callBy`, the breaker, the concurrency limit, the timeout, the retry (P9, H11-H13).

A question is one small object that goes from callback to callback: offered, perhaps waiting in the line, being called,
perhaps resting before another attempt, done. It has no task, no future and no timer of its own.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine
from functools import partial
from typing import Any

import msgspec

from esclusa.connectors import retry
from esclusa.connectors.answer import Answer, Answered, Ticket
from esclusa.connectors.backend import Abort, Backend, Outcome, Question, Reason
from esclusa.connectors.breaker import REFUSED, Breaker, BreakerState, is_failure, is_unheard
from esclusa.connectors.settings import ConnectorSettings
from esclusa.connectors.telemetry import Telemetry
from esclusa.connectors.wheel import NEVER, Wheel
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument

GRACE = 0.1
"""Seconds: a back end ends its attempts in time by itself (`Backend.ask`); one that does not is cut this much later."""

_UNASKED = Outcome(reason=Reason.BACKEND_ERROR, detail="It could not be asked", failure=True, cause="fault")
_DONE, _WAITING, _CALLING, _RESTING = range(4)


class _Call(msgspec.Struct, eq=False, gc=False):
    """The ticket, and where its question stands. Once done it holds nothing that points back at it."""

    owner: Connector
    question: Question
    call_by: float
    answered: Answered | None
    """None once it has been called, or is not to be."""
    offered: float
    stage: int = _DONE
    due: float = NEVER
    called: float = 0.0
    attempts: int = 0
    permit: int = REFUSED
    squeezed: bool = False
    """The line has left this attempt less than half of the time that it would have had."""
    backend: Backend | None = None
    """The one that this attempt was made of."""
    abort: Abort | None = None
    last: Outcome | None = None
    """How the attempt before this rest ended."""

    @property
    def waiting(self) -> bool:
        return self.stage == _WAITING

    def drop(self) -> None:
        self.owner._drop(self)  # noqa: SLF001 - the two are one machine


class _Parting:
    """Calls of a back end that is asked no more."""

    def __init__(self, calls: set[_Call]) -> None:
        self.calls = calls
        self.over = asyncio.Event()


class Connector:
    """One back end under its policies, in one process. Every question offered is answered exactly once, unless dropped.

    Questions are called in the order in which they were offered. A back end that does not keep its contract (raises, goes
    on past its time, speaks twice) costs its own questions a KO and nobody else anything.
    """

    def __init__(
        self, name: str, backend: Backend, settings: ConnectorSettings, clock: Clock, ids: Ids, instrument: Instrument
    ) -> None:
        self.name = name
        self._backend = backend
        self._clock = clock
        self._ids = ids
        self._go_by(settings)
        self._breaker = Breaker(settings.breaker)
        self._line: OrderedDict[_Call, None] = OrderedDict()
        self._running = 0
        self._wheel: Wheel[_Call] = Wheel(clock, self._reached)
        self._closed = False
        self._held = False
        self._partings: list[_Parting] = []
        """Back ends that are asked no more, and still have something to say."""
        self._emptied: asyncio.Event | None = None
        self._telemetry = Telemetry(name, self, instrument)

    @property
    def waiting(self) -> int:
        """Questions in the line."""
        return len(self._line)

    @property
    def running(self) -> int:
        """Calls in flight, those that rest before another attempt included."""
        return self._running

    @property
    def closed(self) -> bool:
        """Nothing can be asked any more."""
        return self._closed

    @property
    def breaker_state(self) -> BreakerState:
        """What the breaker does with the next question."""
        return self._breaker.state(self._clock.now())

    def offer(self, question: Question, call_by: float, answered: Answered) -> Ticket:
        """Ask. `answered` is told the answer, perhaps before this returns; it must not raise.

        `call_by`: when every call is over at the latest, in seconds since the epoch. Answered at once are
        `platform_timeout` when it is past, `circuit_open` while the back end is left alone, and `rejected` when the line
        is full or the connector is closed.
        """
        now = self._clock.now()
        call = _Call(self, question, call_by, answered, now)
        if self._closed:
            self._refuse(call, Reason.REJECTED, "Not asked: this connector is closed", now)
        elif self._running < self._concurrency and not self._line and not self._held:
            self._start(call, now)
        elif now >= call_by:
            self._refuse_late(call, now)
        elif len(self._line) >= self._queue:
            self._refuse(call, Reason.REJECTED, "Not asked: too many questions are waiting for it", now)
        elif self._breaker.state(now) != "closed":
            self._refuse_open(call, now)
        else:
            call.stage = _WAITING
            self._line[call] = None
            self._wheel.set(call, call_by)
            if self._telemetry.detailed:
                self._telemetry.step("call waits", question, waiting=len(self._line))
        return call

    def hold(self, *, held: bool) -> None:
        """While held, no call is begun: what is offered waits in the line, and may have no time left when it goes on."""
        self._held = held
        self._start_next(self._clock.now())

    def change(self, settings: ConnectorSettings, backend: Backend) -> Coroutine[Any, Any, None]:
        """Go by `settings` and ask `backend` from now on (H40). Await what this returns: it lets go of the back end before.

        What is being called goes on as it began; what waits, or rests before another attempt, goes by the new settings, and
        the limit of concurrency counts both. The breaker keeps what it knows, unless the address is another one, or made up.
        """
        before = self._settings
        former, moved = self._backend, _back_end(settings) != _back_end(before)
        self._go_by(settings)
        self._backend = backend
        self._breaker.change(settings.breaker)
        if moved:
            self._breaker.reset()
        parting = _Parting({call for call in self._wheel.items() if call.stage == _CALLING and call.backend is former})
        self._partings.append(parting)
        self._start_next(self._clock.now())
        return self._let_go(former, parting)

    async def finish(self) -> None:
        """Close, once what is waiting or in flight has its answer. Offer nothing more; cancelled before that, it goes on."""
        self._emptied = asyncio.Event()
        try:
            if self._line or self._running:
                await self._emptied.wait()
        finally:
            self._emptied = None
        await self.close()

    async def close(self) -> None:
        """Drop what is waiting or in flight, and let go of the back end."""
        if self._closed:
            return
        self._closed = True
        self._telemetry.close()
        self._line.clear()
        self._running = 0
        for call in self._wheel.close():
            abort = call.abort
            self._leave(call)
            if abort is not None:
                abort()
        if self._emptied is not None:
            self._emptied.set()
        await self._backend.close()

    def _go_by(self, settings: ConnectorSettings) -> None:
        self._settings = settings
        self._timeout = float(settings.timeout)
        self._concurrency = settings.concurrency
        self._queue = settings.queue
        self._retry = settings.retry
        self._open_for = float(settings.breaker.open_for)
        self._counts = settings.breaker.counts

    async def _let_go(self, former: Backend, parting: _Parting) -> None:
        try:
            if parting.calls:
                await parting.over.wait()
        finally:
            self._partings.remove(parting)
            await former.close()

    # From stage to stage.

    def _start_next(self, now: float) -> None:
        while self._line and self._running < self._concurrency and not self._held:
            self._start(self._line.popitem(last=False)[0], now)

    def _start(self, call: _Call, now: float) -> None:
        """A slot is free: call, if there is time and the breaker lets it."""
        if now >= call.call_by:
            self._refuse_late(call, now)
            return
        call.permit = self._breaker.admit(now)
        if call.permit == REFUSED:
            self._refuse_open(call, now)
            return
        self._running += 1
        call.called = now
        self._attempt(call, now)

    def _attempt(self, call: _Call, now: float) -> None:
        by = now + self._timeout
        if by > call.call_by:
            by = call.call_by
            call.squeezed = 2 * (by - now) < min(self._timeout, by - call.offered)
        call.attempts = attempt = call.attempts + 1
        call.stage = _CALLING
        call.backend = backend = self._backend
        self._wheel.set(call, by + GRACE)
        ended = partial(self._ended, call, attempt)
        if self._telemetry.detailed:
            self._telemetry.step("call begins", call.question, attempt=attempt, by=int(by * 1000))
        try:
            call.abort = backend.ask(call.question, by, ended)
        except Exception as error:  # noqa: BLE001 - whatever a protocol raises, its neighbours go on
            self._telemetry.broken("a protocol failed", error)
            call.abort = _nothing
            self._clock.call_at(now, ended, _UNASKED)

    def _ended(self, call: _Call, attempt: int, outcome: Outcome) -> None:
        """An attempt is over. One that was given up is not listened to, should its back end speak all the same."""
        if call.stage != _CALLING or attempt != call.attempts:
            return
        now = self._clock.now()
        opened = self._judge(call, outcome, now)
        if outcome.reason is not None and not opened and call.answered is not None:
            rest = retry.wait(self._retry, attempt, outcome, self._ids.fraction())
            if rest is not None and now + rest < call.call_by:
                # It keeps its slot meanwhile: a back end that fails is to get fewer calls, not as many and the retries on
                # top; and those behind it in the line do not overtake it.
                call.stage, call.abort, call.last = _RESTING, None, outcome
                self._part(call)
                self._wheel.set(call, now + rest)
                if self._telemetry.detailed:
                    self._telemetry.step("call rests", call.question, attempt=attempt, detail=outcome.detail, rest=rest)
                return
        self._finish(call, outcome, now, opened=opened)

    def _judge(self, call: _Call, outcome: Outcome, now: float) -> bool:
        """Tell the breaker how an attempt ended; whether that has opened it."""
        if is_unheard(outcome):
            self._breaker.release(call.permit)
        elif not is_failure(self._counts, outcome):
            if self._breaker.success(call.permit, now):
                self._telemetry.breaker_closed()
        elif call.squeezed and outcome.reason is Reason.BACKEND_TIMEOUT:
            self._breaker.release(call.permit)  # a back end that is only busy must not look like one that is down
        elif self._breaker.failure(call.permit, now):
            self._telemetry.breaker_opened(now + self._open_for)
            return True
        return False

    def _reached(self, call: _Call) -> None:
        """The moment for which it stood on the wheel: its `callBy`, its next attempt, or the end of our patience."""
        now = self._clock.now()
        if call.stage == _WAITING:
            del self._line[call]
            self._refuse_late(call, now)
        elif call.stage == _RESTING:
            call.permit = self._breaker.admit(now)
            if call.permit != REFUSED:
                self._attempt(call, now)
            elif call.last is not None:
                self._finish(call, call.last, now)
        elif call.abort is not None:
            call.abort()
            overdue = Outcome(
                reason=Reason.BACKEND_TIMEOUT, detail="No answer in time", again=_is_idempotent(call), failure=True
            )
            self._ended(call, call.attempts, overdue)

    def _drop(self, call: _Call) -> None:
        if call.answered is None:
            return
        call.answered = None
        now = self._clock.now()
        if call.stage == _WAITING:
            del self._line[call]
            self._leave(call)
            self._telemetry.dropped(call.question, 0)
        elif call.stage == _RESTING:
            self._finish(call, None, now)
        elif call.abort is not None and _is_idempotent(call):
            call.abort()
            self._breaker.release(call.permit)
            self._finish(call, None, now)

    # How a question leaves.

    def _finish(self, call: _Call, outcome: Outcome | None, now: float, *, opened: bool = False) -> None:
        """A call is over: its slot goes to whoever is next, and then `outcome` is told."""
        self._running -= 1
        answered = call.answered
        self._leave(call)
        if opened:
            while self._line:
                self._refuse_open(self._line.popitem(last=False)[0], now)
        else:
            self._start_next(now)
        if outcome is None or answered is None:
            self._telemetry.dropped(call.question, call.attempts)
            return
        called, ended = int(call.called * 1000), int(now * 1000)
        answer = Answer(
            reason=outcome.reason,
            data=outcome.data,
            detail=outcome.detail,
            attempts=call.attempts,
            elapsed=ended - called,
            called=called,
            answered=ended,
        )
        self._tell(call, answered, answer)

    def _refuse_late(self, call: _Call, now: float) -> None:
        self._refuse(call, Reason.PLATFORM_TIMEOUT, "Not asked: its turn did not come in time", now)

    def _refuse_open(self, call: _Call, now: float) -> None:
        self._refuse(call, Reason.CIRCUIT_OPEN, "Not asked: it has been failing and is left alone for a while", now)

    def _refuse(self, call: _Call, reason: Reason, detail: str, now: float) -> None:
        """A KO with no call made."""
        answered = call.answered
        self._leave(call)
        if answered is not None:
            self._tell(call, answered, Answer.refused(reason, detail, now))

    def _leave(self, call: _Call) -> None:
        call.stage = _DONE
        call.answered = call.abort = call.last = None
        self._wheel.clear(call)
        if self._partings:
            self._part(call)
        call.backend = None
        if self._emptied is not None and not self._line and not self._running:
            self._emptied.set()

    def _part(self, call: _Call) -> None:
        """It has heard the last of the back end that it was asking."""
        for parting in self._partings:
            parting.calls.discard(call)
            if not parting.calls:
                parting.over.set()

    def _tell(self, call: _Call, answered: Answered, answer: Answer) -> None:
        self._telemetry.ended(call.question, call.offered, answer)
        try:
            answered(answer)
        except Exception as error:  # noqa: BLE001 - the other questions go on
            self._telemetry.broken("the callback of an answer failed", error)


def _is_idempotent(call: _Call) -> bool:
    return call.backend is not None and call.backend.idempotent


def _nothing() -> None:
    """The abort of a call that was never made."""


def _back_end(settings: ConnectorSettings) -> tuple[type[ConnectorSettings], str, bool]:
    """Who is asked, and how: of another one, the breaker knows nothing."""
    return type(settings), settings.address, bool(settings.mock)

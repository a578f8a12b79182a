"""`protocol = "function"`: what a function of the user's returns is the answer.

It is called with a `Question` and returns what is to be encoded as JSON, None for nothing about the subject, or an `Outcome`
to say more. `TimeoutError` is a `backend_timeout`, anything else that it raises a `backend_error`; the breaker counts both.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from esclusa.connectors.backend import TOO_LARGE, Backend, Outcome, Question, Reason, checked
from esclusa.connectors.coroutine import CoroutineBackend
from esclusa.connectors.faults import Check
from esclusa.connectors.function.settings import FunctionSettings
from esclusa.connectors.function.threads import Threads
from esclusa.connectors.named import function_named
from esclusa.connectors.protocol import ConnectorProtocol, Workshop
from esclusa.connectors.settings import CredentialsSettings
from esclusa.connectors.tap import Tap
from esclusa.connectors.transform import Transform, written

_TOO_LARGE = Outcome(reason=Reason.BACKEND_ERROR, detail=TOO_LARGE, cause="answer")


class Caller:
    """Calls one function, and makes an outcome of what it returns or raises."""

    def __init__(
        self,
        call: Callable[[Question], Coroutine[Any, Any, Any]],
        transform: Transform | None,
        max_answer: int,
        *,
        idempotent: bool,
        tap: Tap | None = None,
    ) -> None:
        """`tap`: told what is called, and what it returns or raises."""
        self._tap = tap
        self._call = call
        self._transform = transform
        self._max_answer = max_answer
        self._idempotent = idempotent

    async def ask(self, question: Question, _: float) -> Outcome:
        """One attempt, for as long as it takes: whoever awaits this gives it up in time."""
        if self._tap is not None:
            self._tap.saw("request", repr(question))
        try:
            said = await self._call(question)
        except Exception as error:  # noqa: BLE001 - it is the user's
            if self._tap is not None:
                self._tap.raised("failed", error)
            if isinstance(error, TimeoutError):
                return self._failed(Reason.BACKEND_TIMEOUT, "No answer in time")
            return self._failed(Reason.BACKEND_ERROR, "It failed")
        if self._tap is not None:
            self._tap.saw("answer", repr(said))
        if not isinstance(said, Outcome):
            return self._read(said)
        try:
            return checked(said, self._max_answer)
        except ValueError as error:
            return Outcome(reason=Reason.BACKEND_ERROR, detail=str(error), failure=True, cause="answer")

    def _read(self, said: Any) -> Outcome:
        if said is None:
            return Outcome()
        try:
            data = written(said)
            shaped = data if self._transform is None else self._transform(data)
        except Exception:  # noqa: BLE001 - what it returns may be anything, and so may what the transform makes of it
            return Outcome(reason=Reason.BACKEND_ERROR, detail="What it answered can't be written as JSON", cause="answer")
        if shaped is not None and len(shaped) > self._max_answer:
            return _TOO_LARGE
        return Outcome(data=shaped)

    def _failed(self, reason: Reason, detail: str) -> Outcome:
        return Outcome(reason=reason, detail=detail, again=self._idempotent, failure=True, cause="fault")


def _make(name: str, settings: FunctionSettings, _: CredentialsSettings | None, workshop: Workshop) -> Backend:
    function = function_named(settings.function)
    transform = workshop.transform(settings)
    close = None
    call: Callable[[Question], Coroutine[Any, Any, Any]] = function
    if not inspect.iscoroutinefunction(function):
        threads = Threads(name, settings.concurrency)
        call, close = partial(threads.run, function), threads.close
    caller = Caller(call, transform, workshop.max_answer, idempotent=settings.idempotent, tap=workshop.tap)
    return CoroutineBackend(
        caller.ask, workshop.clock, idempotent=settings.idempotent, concurrency=settings.concurrency, close=close
    )


def _checks(name: str, settings: FunctionSettings, _: CredentialsSettings | None) -> list[Check]:
    here = ("connectors", name)
    return [
        ((*here, "function"), partial(function_named, settings.function)),
        ((*here, "credentials"), partial(_no_credentials, settings)),
    ]


def _no_credentials(settings: FunctionSettings) -> None:
    if settings.credentials is not None:
        raise ValueError("a function is given no credentials: it reads its own")


FUNCTION = ConnectorProtocol(FunctionSettings, _checks, _make)
"""A Python function."""

"""A made-up back end: answers, delays and errors by its settings, under the same policies as a real one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, cycle
from typing import Any

from esclusa.connectors.backend import TOO_LARGE, Abort, Done, Outcome, Question, Reason
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.settings import ConnectorSettings, MockSettings, MockStepSettings
from esclusa.connectors.template import JsonTemplate
from esclusa.connectors.transform import Transform

_EMPTY = Outcome()
_FAILED = Outcome(reason=Reason.BACKEND_ERROR, detail="It failed, as it is made up to", again=True, failure=True, cause="fault")
_SILENT = Outcome(reason=Reason.BACKEND_TIMEOUT, detail="No answer in time", again=True, failure=True)
_UNSHAPED = Outcome(reason=Reason.BACKEND_ERROR, detail="What it answered can't be transformed", cause="answer")
_TOO_LARGE = Outcome(reason=Reason.BACKEND_ERROR, detail=TOO_LARGE, cause="answer")


class MockBackend:
    """What stands in for the back end of the connector `name`. It connects to nothing."""

    def __init__(self, name: str, settings: ConnectorSettings, workshop: Workshop) -> None:
        """`ValueError` for data with placeholders that are none."""
        told = settings.mock if isinstance(settings.mock, MockSettings) else MockSettings()
        transform = workshop.transform(settings)
        self._clock = workshop.clock
        self._ids = workshop.ids
        self._max_answer = workshop.max_answer
        steps = told.steps or [MockStepSettings()]
        self._steps = [(step, _outcome_of(name, step, transform)) for step in steps]
        self._limits = list(accumulate(step.weight for step in steps))
        self._turns = cycle(self._steps) if told.order == "turns" else None

    @property
    def idempotent(self) -> bool:
        """It may always be asked again."""
        return True

    def ask(self, question: Question, by: float, done: Done) -> Abort:
        """As `Backend.ask`."""
        step, outcome_of = self._next()
        when = self._clock.now() + step.delay
        if step.most is not None:
            when += max(0.0, step.most - step.delay) * self._ids.fraction()
        if step.ends == "backend_timeout" or when > by:
            return self._clock.call_at(by, done, _SILENT).cancel
        outcome = outcome_of(question)
        if outcome.data is not None and len(outcome.data) > self._max_answer:
            outcome = _TOO_LARGE
        return self._clock.call_at(when, done, outcome).cancel

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _next(self) -> tuple[MockStepSettings, Callable[[Question], Outcome]]:
        if self._turns is not None:
            return next(self._turns)
        place = self._limits[-1] * self._ids.fraction()
        return next(step for step, limit in zip(self._steps, self._limits, strict=True) if place < limit)


def checked(settings: MockSettings) -> None:
    """`ValueError`, in words, for what no back end can be made of."""
    for step in settings.steps:
        JsonTemplate(step.data)
        if step.most is not None and step.most < step.delay:
            raise ValueError("the longest that a step takes (most) is less than its delay")
        if step.data is not None and step.ends != "ok":
            raise ValueError(f'a step that ends with "{step.ends}" has no data: leave one of the two out')


def _outcome_of(name: str, step: MockStepSettings, transform: Transform | None) -> Callable[[Question], Outcome]:
    if step.ends != "ok":
        ended = _FAILED if step.ends == "backend_error" else _EMPTY
        return lambda _: ended
    data: Any = step.data
    if data is None:
        data = {"connector": name, "subject": "{subject}", "mock": True}
    template = JsonTemplate(data)

    def answer(question: Question) -> Outcome:
        made = template.fill(question)
        if transform is None:
            return Outcome(data=made)
        try:
            return Outcome(data=transform(made))
        except Exception:  # noqa: BLE001 - it is the user's, and may not have been written for this
            return _UNSHAPED

    return answer

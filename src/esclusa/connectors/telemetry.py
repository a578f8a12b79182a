"""What a connector says of itself: counters, gauges, and the log lines of H11.

One line a call at its end, at INFO (what a back end failed at: ERROR; what never got its turn: WARN), and at DEBUG one a
step. The subject is masked; parameters and data are in none.
"""

from __future__ import annotations

import traceback
from typing import Any, Protocol

from esclusa.connectors.answer import Answer
from esclusa.connectors.backend import Question, Reason
from esclusa.connectors.breaker import BreakerState
from esclusa.kernel.instrument import Instrument, Level, masked

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_BREAKER: dict[BreakerState, float] = {"closed": 0.0, "half_open": 1.0, "open": 2.0}


class State(Protocol):
    """What is read of a connector whenever somebody looks."""

    @property
    def waiting(self) -> int:
        """Questions in the line."""

    @property
    def running(self) -> int:
        """Calls in flight."""

    @property
    def breaker_state(self) -> BreakerState:
        """What the breaker does with the next question."""


class Telemetry:
    """Metrics and log lines of the connector `name`."""

    def __init__(self, name: str, connector: State, instrument: Instrument) -> None:
        self._instrument = instrument
        self._name = name
        label = (name,)
        self._labels = {None: (name, "ok")} | {reason: (name, reason.value) for reason in Reason}
        self._answers = instrument.counter(
            "esclusa_connector_answers_total",
            "Answers of connectors, by reason (ok when there is none)",
            "connector",
            "reason",
        )
        self._seconds = instrument.histogram(
            "esclusa_connector_call_seconds", "Calls of back ends, retries included", "connector", bounds=_BOUNDS
        )
        gauges = (
            instrument.gauge(
                "esclusa_connector_waiting",
                "Questions in the line",
                ("connector",),
                lambda: iter([(label, float(connector.waiting))]),
            ),
            instrument.gauge(
                "esclusa_connector_running",
                "Calls in flight",
                ("connector",),
                lambda: iter([(label, float(connector.running))]),
            ),
            instrument.gauge(
                "esclusa_connector_breaker",
                "The circuit breaker: 0 closed, 1 half open, 2 open",
                ("connector",),
                lambda: iter([(label, _BREAKER[connector.breaker_state])]),
            ),
        )
        self._readers = [(gauge, gauge.readers[-1]) for gauge in gauges]
        self._says = {
            Reason.REJECTED: (Level.WARN, instrument.warn),
            Reason.PLATFORM_TIMEOUT: (Level.WARN, instrument.warn),
            Reason.BACKEND_TIMEOUT: (Level.ERROR, instrument.error),
            Reason.BACKEND_ERROR: (Level.ERROR, instrument.error),
        }
        self._usually = Level.INFO, instrument.info

    def close(self) -> None:
        """The connector is no more: it has no gauges."""
        for gauge, read in self._readers:
            gauge.readers.remove(read)
        self._readers.clear()

    @property
    def detailed(self) -> bool:
        """Somebody reads the steps."""
        return self._instrument.level <= Level.DEBUG

    def step(self, event: str, question: Question, **facts: Any) -> None:
        """One step of one question. Ask `detailed` first: the facts cost more than the line that nobody reads."""
        self._instrument.debug(event, connector=self._name, request=question.request, subject=masked(question.subject), **facts)

    def ended(self, question: Question, offered: float, answer: Answer) -> None:
        """A question has its answer."""
        self._answers.add(*self._labels[answer.reason])
        if answer.attempts:
            self._seconds.observe(answer.elapsed / 1000, self._name)
        level, say = self._usually if answer.reason is None else self._says.get(answer.reason, self._usually)
        if self._instrument.level > level:
            return
        facts: dict[str, Any] = {"detail": answer.detail} if answer.detail else {}
        say(
            "call ended",
            connector=self._name,
            request=question.request,
            query=question.query,
            subject=masked(question.subject),
            outcome=self._labels[answer.reason][1],
            **facts,
            attempts=answer.attempts,
            elapsedMs=answer.elapsed,
            offered=int(offered * 1000),
            called=answer.called,
            answered=answer.answered,
        )

    def dropped(self, question: Question, attempts: int) -> None:
        """A question whose answer nobody wants any more has left; `attempts` had been made."""
        self._instrument.info(
            "call dropped",
            connector=self._name,
            request=question.request,
            query=question.query,
            subject=masked(question.subject),
            attempts=attempts,
        )

    def breaker_opened(self, until: float) -> None:
        """The back end is left alone until then (seconds since the epoch)."""
        self._instrument.warn("breaker opened", connector=self._name, until=int(until * 1000))

    def breaker_closed(self) -> None:
        """The back end answers again."""
        self._instrument.info("breaker closed", connector=self._name)

    def broken(self, what: str, error: Exception) -> None:
        """A protocol or a callback raised. The error's own words may hold what is personal: only its kind and place."""
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{frame.filename}:{frame.lineno}"
        self._instrument.error(what, connector=self._name, error=type(error).__name__, place=place)

"""A connector between a made-up back end and whoever asks, in virtual time."""

from __future__ import annotations

from typing import Any

from esclusa.connectors.answer import Answer, Ticket
from esclusa.connectors.backend import Question, Reason
from esclusa.connectors.connector import Connector
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.settings import BreakerSettings, RetrySettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument, Level
from esclusa.testing.backends import ScriptedBackend, Step
from esclusa.testing.virtual import EPOCH

SUBJECT = "12345678Z"


class Scene:
    """A connector, the back end behind it, and what became of each question."""

    def __init__(
        self,
        step: Step | None = None,
        *,
        idempotent: bool = True,
        concurrency: int = 2,
        queue: int = 10_000,
        timeout: float = 10,
        failures: int = 1000,
        counts: list[str] | None = None,
        open_for: float = 30,
        attempts: int = 1,
        first: float = 0.1,
        level: Level = Level.DEBUG,
    ) -> None:
        self.clock = Clock(epoch=EPOCH)
        self.backend = ScriptedBackend(self.clock, step, idempotent=idempotent)
        self.lines: list[tuple[Level, str, dict[str, Any]]] = []
        self.instrument = Instrument(lambda *line: self.lines.append(line), level)
        settings = RestSettings(
            url="http://dgt.example/",
            concurrency=concurrency,
            queue=queue,
            timeout=Duration(timeout),
            breaker=BreakerSettings(failures=failures, counts=counts, open_for=Duration(open_for)),
            retry=RetrySettings(attempts=attempts, first=Duration(first)),
        )
        self.connector = Connector("dgt", self.backend, settings, self.clock, Ids(self.clock, seed=1), self.instrument)
        self.answers: dict[str, Answer] = {}
        self.times: dict[str, float] = {}

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return round(self.clock.now() - EPOCH, 3)

    def offer(self, name: str, call_by: float = 60) -> Ticket:
        """`call_by`: in seconds since the start."""

        def answered(answer: Answer) -> None:
            assert name not in self.answers, "answered twice"
            self.answers[name] = answer
            self.times[name] = self.now

        question = Question(name, "expedientes", SUBJECT, {"period.from": "2026-01-01"})
        return self.connector.offer(question, EPOCH + call_by, answered)

    def reason(self, name: str) -> Reason | None:
        return self.answers[name].reason

    def state(self) -> str:
        return self.connector.breaker_state

    @property
    def called(self) -> list[str]:
        return [attempt.question.request for attempt in self.backend.attempts]

    def said(self, event: str) -> list[tuple[Level, dict[str, Any]]]:
        return [(level, facts) for level, said, facts in self.lines if said == event]

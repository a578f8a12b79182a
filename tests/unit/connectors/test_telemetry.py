from __future__ import annotations

from typing import Any

import pytest

from esclusa.connectors.answer import Answer
from esclusa.connectors.backend import Question, Reason
from esclusa.connectors.connector import Connector
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.telemetry import Telemetry
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument, Level
from esclusa.testing.backends import ScriptedBackend

pytestmark = pytest.mark.virtual_time

QUESTION = Question("r", "expedientes", "12345678Z", {"secret": "s3cret"})


class Heard:
    """The telemetry of a connector, and what was heard of it."""

    def __init__(self, level: Level) -> None:
        self.lines: list[tuple[Level, str, dict[str, Any]]] = []
        self.instrument = Instrument(lambda *line: self.lines.append(line), level)
        clock = Clock()
        connector = Connector(
            "dgt", ScriptedBackend(clock), RestSettings(url="http://dgt.example/"), clock, Ids(clock), Instrument()
        )
        self.telemetry = Telemetry("dgt", connector, self.instrument)

    def end(self, reason: Reason | None) -> Level | None:
        """The level of the line of a call that ended so; None: there was none."""
        self.lines.clear()
        self.telemetry.ended(QUESTION, 1.0, Answer(reason=reason, answered=1000))
        return self.lines[0][0] if self.lines else None


@pytest.mark.parametrize(
    ("reason", "level"),
    [
        (None, Level.INFO),
        (Reason.CIRCUIT_OPEN, Level.INFO),
        (Reason.REJECTED, Level.WARN),
        (Reason.PLATFORM_TIMEOUT, Level.WARN),
        (Reason.BACKEND_TIMEOUT, Level.ERROR),
        (Reason.BACKEND_ERROR, Level.ERROR),
    ],
)
async def test_how_much_an_answer_matters_is_by_its_reason(reason: Reason | None, level: Level) -> None:
    assert Heard(Level.DEBUG).end(reason) is level
    assert Heard(level).end(reason) is level
    assert Heard(Level.SILENT).end(reason) is None
    if level < Level.ERROR:
        assert Heard(Level.ERROR).end(reason) is None


async def test_steps_are_for_who_looks_for_a_fault() -> None:
    assert Heard(Level.DEBUG).telemetry.detailed
    assert not Heard(Level.INFO).telemetry.detailed


async def test_an_error_is_told_by_its_kind_and_place_and_never_in_its_own_words() -> None:
    heard = Heard(Level.INFO)
    try:
        int(QUESTION.subject)
    except ValueError as error:
        heard.telemetry.broken("a protocol failed", error)
    ((level, event, facts),) = heard.lines
    assert (level, event, facts["error"]) == (Level.ERROR, "a protocol failed", "ValueError")
    assert "test_telemetry.py:" in facts["place"]
    assert QUESTION.subject not in str(facts)


async def test_a_question_never_called_is_counted_and_not_timed() -> None:
    heard = Heard(Level.SILENT)
    heard.end(Reason.REJECTED)
    assert heard.instrument.counters["esclusa_connector_answers_total"].values == {("dgt", "rejected"): 1}
    assert heard.instrument.histograms["esclusa_connector_call_seconds"].values == {}

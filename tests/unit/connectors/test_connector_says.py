"""What a connector says of itself (H11)."""

from __future__ import annotations

import pytest

from esclusa.connectors.backend import Outcome
from esclusa.connectors.connector import Connector
from esclusa.connectors.rest import RestSettings
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Level
from esclusa.testing.backends import ERROR, TIMEOUT, ScriptedBackend, answers, data
from esclusa.testing.virtual import EPOCH
from unit.connectors.scene import SUBJECT, Scene

pytestmark = pytest.mark.virtual_time


async def test_one_line_a_call_at_its_end_with_the_time_of_each_event() -> None:
    scene = Scene(data(b'{"secret":1}', after=0.2), level=Level.INFO, concurrency=1)
    scene.offer("first")
    scene.offer("a")
    await scene.clock.sleep(1)
    assert len(scene.lines) == 2
    level, event, facts = scene.lines[-1]
    start = int(EPOCH * 1000)
    assert (level, event) == (Level.INFO, "call ended")
    assert facts == {
        "connector": "dgt",
        "request": "a",
        "query": "expedientes",
        "subject": "******78Z",
        "outcome": "ok",
        "attempts": 1,
        "elapsedMs": 200,
        "offered": start,
        "called": start + 200,
        "answered": start + 400,
    }


@pytest.mark.parametrize(
    ("outcome", "level"), [(ERROR, Level.ERROR), (TIMEOUT, Level.ERROR)], ids=["backend_error", "backend_timeout"]
)
async def test_what_a_back_end_failed_at_is_an_error(outcome: Outcome, level: Level) -> None:
    scene = Scene(answers(outcome), level=Level.INFO)
    scene.offer("a")
    await scene.clock.sleep(1)
    ((said, facts),) = scene.said("call ended")
    assert said is level
    assert (facts["outcome"], facts["detail"]) == (outcome.reason, outcome.detail)


async def test_a_platform_timeout_is_a_warning_and_a_circuit_open_is_not() -> None:
    scene = Scene(answers(ERROR), level=Level.INFO, failures=1)
    scene.offer("late", call_by=0)
    scene.offer("breaks")
    await scene.clock.sleep(1)
    scene.offer("open")
    levels = {facts["outcome"]: level for level, facts in scene.said("call ended")}
    assert levels["platform_timeout"] is Level.WARN
    assert levels["circuit_open"] is Level.INFO
    assert [level for level, _ in scene.said("breaker opened")] == [Level.WARN]


async def test_every_step_is_told_at_debug_and_none_names_the_subject_or_what_was_asked() -> None:
    scene = Scene(data(b'{"secret":1}'), attempts=2, concurrency=1)
    scene.backend.then(answers(ERROR))
    scene.offer("a")
    scene.offer("b").drop()
    await scene.clock.sleep(1)
    assert [event for _, event, facts in scene.lines if facts["request"] == "a"] == [
        "call begins",
        "call rests",
        "call begins",
        "call ended",
    ]
    assert [event for _, event, facts in scene.lines if facts["request"] == "b"] == ["call waits", "call dropped"]
    for secret in (SUBJECT, "2026-01-01", "secret"):
        assert secret not in str(scene.lines)


async def test_answers_are_counted_by_connector_and_reason_and_calls_are_timed() -> None:
    scene = Scene(answers(after=0.3), concurrency=1, queue=1)
    for name in "abc":
        scene.offer(name)
    gauges = {name: list(gauge.read()) for name, gauge in scene.instrument.gauges.items()}
    assert gauges == {
        "esclusa_connector_waiting": [(("dgt",), 1)],
        "esclusa_connector_running": [(("dgt",), 1)],
        "esclusa_connector_breaker": [(("dgt",), 0)],
    }
    await scene.clock.sleep(1)
    counter = scene.instrument.counters["esclusa_connector_answers_total"]
    assert counter.values == {("dgt", "ok"): 2, ("dgt", "rejected"): 1}
    row = scene.instrument.histograms["esclusa_connector_call_seconds"].values[("dgt",)]
    assert sum(row[:-1]) == 2
    assert row[-1] == pytest.approx(0.6)


async def test_every_connector_has_its_own_row_in_the_gauges() -> None:
    scene = Scene(answers(ERROR), failures=1)
    settings = RestSettings(url="http://b.example/")
    Connector("aeat", ScriptedBackend(scene.clock), settings, scene.clock, Ids(scene.clock), scene.instrument)
    scene.offer("a")
    await scene.clock.sleep(1)
    assert list(scene.instrument.gauges["esclusa_connector_breaker"].read()) == [(("dgt",), 2), (("aeat",), 0)]

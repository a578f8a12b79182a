"""A connector whose questions are dropped, whose neighbours break their contracts, and that is closed."""

from __future__ import annotations

import pytest

from esclusa.connectors.answer import Answer, Ticket
from esclusa.connectors.backend import Outcome, Question, Reason
from esclusa.kernel.instrument import Level
from esclusa.testing.backends import ERROR, OK, answers, raises, waits
from esclusa.testing.virtual import EPOCH
from unit.connectors.scene import SUBJECT, Scene

pytestmark = pytest.mark.virtual_time


# Dropping


async def test_a_question_dropped_from_the_line_is_never_called_and_makes_room() -> None:
    scene = Scene(answers(after=1), concurrency=1, queue=1)
    scene.offer("called")
    ticket = scene.offer("dropped")
    waited = ticket.waiting
    ticket.drop()
    assert waited
    assert not ticket.waiting
    scene.offer("takes its place")
    await scene.clock.sleep(100)
    assert scene.called == ["called", "takes its place"]
    assert "dropped" not in scene.answers


async def test_a_safe_call_that_is_dropped_is_cut_and_its_slot_is_free_at_once() -> None:
    scene = Scene(waits, concurrency=1)
    ticket = scene.offer("dropped")
    scene.offer("next")
    assert not ticket.waiting
    ticket.drop()
    assert scene.backend.attempts[0].aborted
    assert scene.called == ["dropped", "next"]
    await scene.clock.sleep(100)
    assert "dropped" not in scene.answers


async def test_a_call_that_is_not_idempotent_and_is_dropped_goes_on_in_its_slot_and_its_answer_is_thrown_away() -> None:
    scene = Scene(answers(ERROR, after=5), idempotent=False, concurrency=1, attempts=3)
    scene.offer("dropped").drop()
    scene.offer("next")
    await scene.clock.sleep(4)
    assert scene.called == ["dropped"]
    await scene.clock.sleep(4)
    assert scene.called == ["dropped", "next"], "and there is no second attempt"
    assert not scene.backend.attempts[0].aborted
    assert scene.answers == {}


async def test_a_call_that_is_dropped_while_it_rests_frees_its_slot() -> None:
    busy = Outcome(reason=Reason.BACKEND_ERROR, detail="Busy", again=True, after=5)
    scene = Scene(concurrency=1, attempts=2)
    scene.backend.then(answers(busy))
    ticket = scene.offer("dropped")
    scene.offer("next")
    await scene.clock.sleep(1)
    ticket.drop()
    await scene.clock.sleep(10)
    assert scene.called == ["dropped", "next"]
    assert list(scene.answers) == ["next"]


async def test_a_probe_that_is_dropped_gives_its_place_to_another() -> None:
    scene = Scene(answers(ERROR), failures=1, open_for=30)
    scene.offer("breaks")
    await scene.clock.sleep(31)
    scene.backend.step = waits
    scene.offer("probe").drop()
    scene.offer("another")
    assert scene.called == ["breaks", "probe", "another"]


async def test_dropping_what_is_answered_or_dropped_does_nothing() -> None:
    scene = Scene(concurrency=1)
    ticket = scene.offer("a")
    await scene.clock.sleep(1)
    ticket.drop()
    ticket.drop()
    assert scene.reason("a") is None
    assert scene.connector.running == 0


async def test_of_a_line_that_is_refused_one_may_drop_another() -> None:
    scene = Scene(answers(ERROR), failures=1, concurrency=1)
    scene.offer("breaks")
    tickets: list[Ticket] = []
    scene.connector.offer(Question("meddles", "q", SUBJECT, {}), EPOCH + 60, lambda _: tickets[0].drop())
    tickets.append(scene.offer("dropped"))
    await scene.clock.sleep(1)
    assert list(scene.answers) == ["breaks"]


# Back ends and callbacks that break their contract


async def test_a_back_end_that_raises_is_a_backend_error_and_the_line_goes_on() -> None:
    scene = Scene(raises, concurrency=1, failures=10_000)
    for number in range(3000):
        scene.offer(str(number))
    await scene.clock.sleep(1)
    assert {answer.reason for answer in scene.answers.values()} == {Reason.BACKEND_ERROR}
    assert len(scene.answers) == 3000


async def test_a_back_end_that_speaks_twice_or_after_it_was_cut_is_not_heard() -> None:
    scene = Scene(waits, timeout=1, attempts=2)
    scene.offer("a")
    await scene.clock.sleep(1.5)
    first, second = scene.backend.attempts
    first._done(OK)
    assert scene.answers == {}
    second.answer(OK)
    second._done(ERROR)
    assert scene.reason("a") is None


async def test_a_callback_that_raises_disturbs_nobody_else() -> None:
    scene = Scene(answers(after=1), concurrency=1)

    def fail(_: Answer) -> None:
        raise ValueError(SUBJECT)

    scene.connector.offer(Question("bad", "q", SUBJECT, {}), EPOCH + 60, fail)
    scene.offer("good")
    await scene.clock.sleep(5)
    assert scene.reason("good") is None
    ((level, facts),) = scene.said("the callback of an answer failed")
    assert (level, facts["error"]) == (Level.ERROR, "ValueError")
    assert SUBJECT not in str(facts), "an error's own words may be personal"


# Closing


async def test_closing_drops_what_waits_and_what_is_in_flight() -> None:
    scene = Scene(waits, concurrency=1)
    scene.offer("called")
    scene.offer("waits")
    await scene.connector.close()
    assert scene.backend.attempts[0].aborted
    assert (scene.connector.running, scene.connector.waiting) == (0, 0)
    scene.offer("late")
    assert list(scene.answers) == ["late"]
    assert scene.reason("late") is Reason.REJECTED
    await scene.connector.close()
    await scene.clock.sleep(100)
    assert list(scene.answers) == ["late"]
    assert scene.backend.closed == 1

"""Each test reads like a line of DESIGN.md (Lines, Time) or of H11 to H13."""

from __future__ import annotations

import pytest

from esclusa.connectors.answer import Answer
from esclusa.connectors.backend import Outcome, Question, Reason
from esclusa.connectors.connector import GRACE
from esclusa.testing.backends import ERROR, answers, data, hangs, waits
from esclusa.testing.virtual import EPOCH
from unit.connectors.scene import SUBJECT, Scene

pytestmark = pytest.mark.virtual_time


# The line and the concurrency limit


async def test_a_question_is_called_and_answered_with_what_the_back_end_said() -> None:
    scene = Scene(data(b'{"n":1}', after=0.25))
    scene.offer("a")
    await scene.clock.sleep(1)
    start = int(EPOCH * 1000)
    assert scene.answers == {"a": Answer(data=b'{"n":1}', attempts=1, elapsed=250, called=start, answered=start + 250)}


async def test_never_more_calls_at_a_time_than_its_concurrency() -> None:
    scene = Scene(answers(after=1), concurrency=3)
    for number in range(10):
        scene.offer(str(number))
    assert (scene.connector.running, scene.connector.waiting) == (3, 7)
    await scene.clock.sleep(20)
    assert scene.backend.most == 3
    assert len(scene.answers) == 10
    assert (scene.connector.running, scene.connector.waiting) == (0, 0)


async def test_questions_are_called_in_the_order_in_which_they_were_offered() -> None:
    scene = Scene(answers(after=1), concurrency=2)
    names = [str(number) for number in range(9)]
    for name in names:
        scene.offer(name)
    await scene.clock.sleep(20)
    assert scene.called == names


async def test_a_question_offered_while_a_slot_is_being_handed_on_does_not_overtake_the_line() -> None:
    scene = Scene(answers(after=5), concurrency=1)
    scene.offer("first")

    def offer_more(answer: Answer) -> None:
        assert answer.reason is Reason.PLATFORM_TIMEOUT
        scene.offer("newcomer")

    scene.connector.offer(Question("too late when its turn comes", "q", SUBJECT, {}), EPOCH + 5, offer_more)
    scene.offer("patient")
    await scene.clock.sleep(20)
    assert scene.called == ["first", "patient", "newcomer"]


async def test_beyond_the_queue_a_question_is_rejected_at_once() -> None:
    scene = Scene(hangs, concurrency=1, queue=2)
    for name in ("called", "waits", "waits too", "too many"):
        scene.offer(name)
    assert list(scene.answers) == ["too many"]
    assert scene.answers["too many"] == Answer.refused(
        Reason.REJECTED, "Not asked: too many questions are waiting for it", EPOCH
    )


# callBy


async def test_a_question_still_in_the_line_at_its_call_by_is_a_platform_timeout_then() -> None:
    scene = Scene(answers(after=9), concurrency=1)
    scene.offer("called")
    scene.offer("b", call_by=5)
    scene.offer("a", call_by=3.3)
    await scene.clock.sleep(20)
    assert (scene.reason("a"), scene.times["a"]) == (Reason.PLATFORM_TIMEOUT, 3.3)
    assert (scene.reason("b"), scene.times["b"]) == (Reason.PLATFORM_TIMEOUT, 5)
    assert scene.called == ["called"]


async def test_a_question_that_comes_after_its_call_by_is_a_platform_timeout_at_once() -> None:
    scene = Scene(hangs, concurrency=1)
    await scene.clock.sleep(5)
    scene.offer("late", call_by=5)
    scene.offer("takes the slot")
    scene.offer("late beside a busy slot", call_by=5)
    assert scene.reason("late") is scene.reason("late beside a busy slot") is Reason.PLATFORM_TIMEOUT
    assert scene.called == ["takes the slot"]


async def test_nothing_is_called_at_its_call_by_although_a_slot_becomes_free_then() -> None:
    scene = Scene(answers(after=5), concurrency=1)
    scene.offer("called")
    scene.offer("late", call_by=5)
    await scene.clock.sleep(20)
    assert scene.called == ["called"]
    assert scene.reason("late") is Reason.PLATFORM_TIMEOUT


async def test_an_attempt_is_given_its_timeout_and_never_more_than_until_call_by() -> None:
    scene = Scene(hangs, timeout=10)
    scene.offer("long", call_by=60)
    scene.offer("short", call_by=4)
    assert [attempt.by - EPOCH for attempt in scene.backend.attempts] == [10, 4]
    await scene.clock.sleep(20)
    assert (scene.reason("short"), scene.times["short"]) == (Reason.BACKEND_TIMEOUT, 4)
    assert (scene.reason("long"), scene.times["long"]) == (Reason.BACKEND_TIMEOUT, 10)


async def test_a_back_end_that_goes_on_past_its_time_is_cut() -> None:
    scene = Scene(waits, timeout=10, concurrency=1)
    scene.offer("a")
    await scene.clock.sleep(20)
    assert (scene.reason("a"), scene.times["a"]) == (Reason.BACKEND_TIMEOUT, 10 + GRACE)
    assert scene.backend.attempts[0].aborted
    assert scene.connector.running == 0


# The breaker


async def test_while_the_breaker_is_open_questions_are_answered_circuit_open_at_once() -> None:
    scene = Scene(answers(ERROR), failures=3, concurrency=1)
    for name in "abc":
        scene.offer(name)
    await scene.clock.sleep(1)
    assert scene.state() == "open"
    scene.offer("d")
    assert scene.reason("d") is Reason.CIRCUIT_OPEN
    assert scene.called == ["a", "b", "c"]


async def test_when_the_breaker_opens_the_whole_line_is_answered_circuit_open() -> None:
    scene = Scene(answers(ERROR, after=1), failures=1, concurrency=1)
    for number in range(50):
        scene.offer(str(number))
    await scene.clock.sleep(1.5)
    assert [scene.reason(str(number)) for number in range(1, 50)] == [Reason.CIRCUIT_OPEN] * 49
    assert set(scene.times.values()) == {1}
    assert scene.connector.waiting == 0


async def test_half_open_lets_one_probe_through_and_its_success_closes_the_breaker() -> None:
    scene = Scene(answers(ERROR), failures=1, open_for=30)
    scene.offer("breaks")
    await scene.clock.sleep(31)
    assert scene.state() == "half_open"
    scene.backend.step = answers(after=1)
    scene.offer("probe")
    scene.offer("beside it")
    assert scene.reason("beside it") is Reason.CIRCUIT_OPEN
    await scene.clock.sleep(2)
    assert scene.reason("probe") is None
    assert scene.state() == "closed"


async def test_a_probe_that_fails_opens_the_breaker_again() -> None:
    scene = Scene(answers(ERROR), failures=1, open_for=30)
    scene.offer("breaks")
    await scene.clock.sleep(31)
    scene.offer("probe")
    await scene.clock.sleep(1)
    assert scene.state() == "open"


async def test_half_open_with_no_slot_free_nothing_is_put_into_the_line() -> None:
    scene = Scene(answers(ERROR, after=50), failures=1, open_for=10, concurrency=2, timeout=100)
    scene.offer("slow", call_by=200)
    scene.backend.step = hangs
    await scene.clock.sleep(45)
    scene.offer("hangs", call_by=200)
    await scene.clock.sleep(16)
    assert scene.state() == "half_open"
    scene.offer("probe", call_by=200)
    assert scene.connector.running == 2
    scene.offer("no slot", call_by=200)
    assert scene.reason("no slot") is Reason.CIRCUIT_OPEN
    assert scene.connector.waiting == 0


async def test_an_error_that_says_nothing_about_health_does_not_open_the_breaker() -> None:
    scene = Scene(answers(Outcome(reason=Reason.BACKEND_ERROR, detail="It answered 400", cause="400")), failures=1)
    for name in "abc":
        scene.offer(name)
    await scene.clock.sleep(1)
    assert [scene.reason(name) for name in "abc"] == [Reason.BACKEND_ERROR] * 3
    assert scene.state() == "closed"


async def test_a_question_that_could_not_be_asked_says_nothing_about_health() -> None:
    """Who asks what can't be sent must not make a failing body look well, nor a half-open breaker close."""
    scene = Scene(answers(ERROR), failures=2, open_for=10)
    unasked = Outcome(reason=Reason.BACKEND_ERROR, detail="It can't be asked this")
    scene.offer("a")
    await scene.clock.sleep(1)
    scene.backend.then(answers(unasked))
    scene.offer("b")
    await scene.clock.sleep(1)
    scene.offer("c")
    await scene.clock.sleep(1)
    assert scene.state() == "open"
    await scene.clock.sleep(10)
    scene.backend.then(answers(unasked))
    scene.offer("d")
    await scene.clock.sleep(1)
    assert scene.reason("d") is Reason.BACKEND_ERROR
    assert scene.state() == "half_open"


async def test_what_the_breaker_counts_can_be_said() -> None:
    scene = Scene(
        answers(Outcome(reason=Reason.BACKEND_ERROR, detail="It answered 404", cause="404")), failures=2, counts=["4xx"]
    )
    scene.offer("a")
    await scene.clock.sleep(1)
    scene.backend.then(answers(Outcome(reason=Reason.BACKEND_ERROR, cause="503", failure=True)))
    scene.offer("b")
    await scene.clock.sleep(1)
    assert scene.state() == "closed", "it is not told to count that"
    for name in "cd":
        scene.offer(name)
        await scene.clock.sleep(1)
    assert scene.state() == "open"


async def test_a_call_that_our_line_left_little_time_does_not_count_against_the_back_end() -> None:
    scene = Scene(answers(after=4), failures=1, concurrency=1, timeout=10)
    scene.offer("first")
    scene.offer("squeezed", call_by=6)
    await scene.clock.sleep(20)
    assert (scene.reason("squeezed"), scene.times["squeezed"]) == (Reason.BACKEND_TIMEOUT, 6)
    assert scene.state() == "closed"


async def test_a_call_that_is_cut_by_call_by_after_its_share_of_the_time_counts() -> None:
    scene = Scene(hangs, failures=1, concurrency=1, timeout=10)
    scene.offer("has all the time that there is", call_by=6)
    await scene.clock.sleep(20)
    assert scene.reason("has all the time that there is") is Reason.BACKEND_TIMEOUT
    assert scene.state() == "open"


# Timeout and retry


async def test_a_retry_that_succeeds_is_a_success() -> None:
    scene = Scene(attempts=3)
    scene.backend.then(answers(ERROR, after=1), answers(ERROR, after=1), data(b"[]", after=1))
    scene.offer("a")
    await scene.clock.sleep(10)
    answer = scene.answers["a"]
    assert (answer.reason, answer.data, answer.attempts) == (None, b"[]", 3)
    assert 3000 < answer.elapsed < 3300, "the attempts and the rests between them"
    assert answer.answered - answer.called == answer.elapsed


async def test_after_the_last_attempt_its_outcome_stands() -> None:
    scene = Scene(answers(ERROR), attempts=3)
    scene.offer("a")
    await scene.clock.sleep(10)
    assert (scene.reason("a"), scene.answers["a"].attempts) == (Reason.BACKEND_ERROR, 3)


async def test_what_may_not_be_asked_again_is_asked_once() -> None:
    scene = Scene(answers(Outcome(reason=Reason.BACKEND_ERROR, detail="No")), attempts=3)
    scene.offer("a")
    await scene.clock.sleep(10)
    assert scene.called == ["a"]


async def test_every_attempt_has_the_whole_timeout() -> None:
    scene = Scene(hangs, timeout=10, attempts=2)
    scene.offer("a")
    await scene.clock.sleep(30)
    assert len(scene.called) == 2
    assert 20 <= scene.times["a"] < 20.2


async def test_no_retry_whose_wait_would_pass_call_by() -> None:
    after = Outcome(reason=Reason.BACKEND_ERROR, detail="Busy", again=True, after=7)
    scene = Scene(answers(after, after=1), attempts=3)
    scene.offer("no time", call_by=8)
    scene.offer("time", call_by=9)
    await scene.clock.sleep(30)
    assert (scene.answers["no time"].attempts, scene.times["no time"]) == (1, 1)
    assert scene.answers["time"].attempts == 2


async def test_while_a_call_rests_it_keeps_its_slot() -> None:
    busy = Outcome(reason=Reason.BACKEND_ERROR, detail="Busy", again=True, after=5)
    scene = Scene(concurrency=1, attempts=2)
    scene.backend.then(answers(busy))
    scene.offer("a")
    scene.offer("b")
    await scene.clock.sleep(4)
    assert (scene.connector.running, scene.connector.waiting) == (1, 1)
    await scene.clock.sleep(4)
    assert scene.called == ["a", "a", "b"]


async def test_no_retry_once_the_breaker_has_opened() -> None:
    scene = Scene(answers(ERROR), attempts=5, failures=2, first=10, concurrency=1)
    scene.offer("a")
    scene.offer("waits")
    await scene.clock.sleep(20)
    assert (scene.reason("a"), scene.answers["a"].attempts) == (Reason.BACKEND_ERROR, 2)
    assert scene.reason("waits") is Reason.CIRCUIT_OPEN
    assert scene.times["a"] == scene.times["waits"] == round(scene.backend.attempts[1].at - EPOCH, 3)


async def test_a_call_that_rests_while_others_open_the_breaker_keeps_its_last_outcome() -> None:
    busy = Outcome(reason=Reason.BACKEND_ERROR, detail="Busy", again=True, after=5)
    scene = Scene(attempts=2, failures=1)
    scene.backend.then(answers(busy), answers(Outcome(reason=Reason.BACKEND_ERROR, failure=True)))
    scene.offer("rests")
    scene.offer("breaks")
    await scene.clock.sleep(10)
    assert (scene.reason("rests"), scene.answers["rests"].detail, scene.answers["rests"].attempts) == (
        Reason.BACKEND_ERROR,
        "Busy",
        1,
    )

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from esclusa.connectors.backend import Outcome, Reason
from esclusa.connectors.breaker import REFUSED, Breaker, BreakerState, Window, check_counts, is_failure, is_unheard
from esclusa.connectors.settings import BreakerSettings
from esclusa.kernel.duration import Duration


def breaker(
    *, failures: int = 3, open_for: float = 30, rate: float | None = None, window: float = 60, calls: int = 10, probes: int = 1
) -> Breaker:
    return Breaker(
        BreakerSettings(
            failures=failures, open_for=Duration(open_for), rate=rate, window=Duration(window), calls=calls, probes=probes
        )
    )


def fail(one: Breaker, now: float, times: int = 1) -> bool:
    """The last of so many failures opened it."""
    opened = False
    for _ in range(times):
        opened = one.failure(one.admit(now), now)
    return opened


def succeed(one: Breaker, now: float, times: int = 1) -> None:
    for _ in range(times):
        one.success(one.admit(now), now)


TIMEOUT = Outcome(reason=Reason.BACKEND_TIMEOUT, failure=True)
REFUSAL = Outcome(reason=Reason.BACKEND_ERROR, cause="404")
SICK = Outcome(reason=Reason.BACKEND_ERROR, cause="503", failure=True)
GARBAGE = Outcome(reason=Reason.BACKEND_ERROR, cause="answer", failure=True)
UNKNOWN = Outcome(reason=Reason.BACKEND_ERROR, detail="A protocol of the user's that says no more")


@pytest.mark.parametrize(
    ("counts", "failures"),
    [
        (None, [TIMEOUT, SICK, GARBAGE]),
        ([], []),
        (["timeout"], [TIMEOUT]),
        (["404", "answer"], [REFUSAL, GARBAGE]),
        (["4xx", "5xx"], [REFUSAL, SICK]),
        (["503", "connection", "fault"], [SICK]),
    ],
)
def test_what_counts_is_what_the_protocol_says_or_what_is_named(counts: list[str] | None, failures: list[Outcome]) -> None:
    every = [Outcome(), Outcome(data=b"1"), TIMEOUT, REFUSAL, SICK, GARBAGE, UNKNOWN]
    assert [outcome for outcome in every if is_failure(counts, outcome)] == failures


def test_what_was_never_asked_is_unheard() -> None:
    assert is_unheard(UNKNOWN)
    assert not any(is_unheard(outcome) for outcome in (Outcome(), TIMEOUT, REFUSAL, SICK, GARBAGE))


def test_with_fewer_probes_to_succeed_it_closes_when_as_many_have() -> None:
    one = breaker(failures=1, probes=3)
    fail(one, 0)
    succeed(one, 31)
    one.change(BreakerSettings(failures=1, probes=1))
    assert one.state(31) == "closed"
    assert one.admit(31) != REFUSED


@pytest.mark.parametrize("name", ["timeouts", "600", "5x", "", "xxx", "5XX", "٤٠٤"])
def test_what_cannot_be_counted_is_told(name: str) -> None:
    check_counts(["timeout", "connection", "answer", "fault", "404", "5xx"])
    with pytest.raises(ValueError, match=f'"{name}" can\'t be counted: there is timeout, connection, answer, fault, and'):
        check_counts([name])


def test_so_many_consecutive_failures_open_it() -> None:
    one = breaker(failures=3)
    assert not fail(one, 0, 2)
    assert one.state(0) == "closed"
    assert fail(one, 0)
    assert one.state(0) == "open"
    assert one.admit(0) == REFUSED


def test_other_settings_hold_from_now_on_and_what_is_known_stays() -> None:
    one = breaker(failures=3, open_for=30)
    fail(one, 0, 2)
    one.change(BreakerSettings(failures=2, open_for=Duration(5)))
    assert fail(one, 0)
    assert one.state(4) == "open"
    one.change(BreakerSettings(failures=2, open_for=Duration(60)))
    assert one.state(5) == "half_open", "it was to be open for five seconds"


def test_before_another_back_end_it_is_closed_and_hears_nothing_of_the_former() -> None:
    one = breaker(failures=1)
    permit = one.admit(0)
    fail(one, 0)
    one.reset()
    assert one.state(0) == "closed"
    assert not one.failure(permit, 0)
    assert one.state(0) == "closed"


def test_a_success_between_failures_starts_the_count_anew() -> None:
    one = breaker(failures=3)
    fail(one, 0, 2)
    succeed(one, 0)
    assert not fail(one, 0, 2)
    assert fail(one, 0)


def test_it_stays_open_for_as_long_as_it_is_told_and_then_lets_one_probe_through() -> None:
    one = breaker(open_for=30)
    fail(one, 100, 3)
    assert one.admit(129.9) == REFUSED
    assert one.state(129.9) == "open"
    assert one.state(130) == "half_open"
    assert one.admit(130) != REFUSED
    assert one.admit(130) == REFUSED


def test_a_probe_that_succeeds_closes_it() -> None:
    one = breaker()
    fail(one, 0, 3)
    assert one.success(one.admit(30), 31)
    assert one.state(31) == "closed"
    assert not fail(one, 31, 2), "what was counted before the opening is forgotten"


def test_a_probe_that_fails_opens_it_for_the_whole_time_again() -> None:
    one = breaker(open_for=30)
    fail(one, 0, 3)
    assert one.failure(one.admit(30), 40)
    assert one.state(69.9) == "open"
    assert one.state(70) == "half_open"


def test_all_of_several_probes_have_to_succeed() -> None:
    one = breaker(probes=3)
    fail(one, 0, 3)
    first, second, third = (one.admit(30) for _ in range(3))
    assert one.admit(30) == REFUSED
    assert not one.success(first, 31)
    assert not one.success(second, 31)
    assert one.admit(31) == REFUSED, "three in all, not three at a time"
    assert one.success(third, 31)


def test_the_first_of_several_probes_that_fails_opens_it() -> None:
    one = breaker(probes=2)
    fail(one, 0, 3)
    first, second = one.admit(30), one.admit(30)
    assert one.failure(first, 31)
    assert not one.success(second, 32), "it has nothing to say any more"
    assert one.state(32) == "open"


def test_a_probe_that_was_cut_makes_room_for_another() -> None:
    one = breaker()
    fail(one, 0, 3)
    one.release(one.admit(30))
    assert one.admit(30) != REFUSED


@pytest.mark.parametrize("ending", ["success", "failure", "release"])
def test_how_a_call_from_before_the_opening_ends_says_nothing_about_the_probes(ending: str) -> None:
    one = breaker(probes=2)
    old = one.admit(0)
    fail(one, 0, 3)
    probe = one.admit(30)
    if ending == "release":
        one.release(old)
        one.admit(30)
        assert one.admit(30) == REFUSED, "it had no probe's place to give back"
    else:
        getattr(one, ending)(old, 31)
    assert one.state(31) == "half_open"
    assert not one.success(probe, 31)


def test_a_late_failure_of_before_does_not_open_it_anew_once_it_is_closed() -> None:
    one = breaker(failures=1)
    old = one.admit(0)
    fail(one, 0)
    one.success(one.admit(30), 30)
    assert not one.failure(old, 31)
    assert one.state(31) == "closed"


def test_a_rate_of_failures_opens_it_once_there_are_enough_calls() -> None:
    one = breaker(failures=1000, rate=0.5, calls=10)
    for _ in range(4):
        succeed(one, 0)
        assert not fail(one, 0)
    succeed(one, 0)
    assert fail(one, 0), "the tenth call, half of which have failed"


def test_below_the_rate_it_stays_closed() -> None:
    one = breaker(failures=1000, rate=0.5, calls=10)
    succeed(one, 0, 12)
    assert not fail(one, 0, 11)
    assert fail(one, 0)


def test_without_a_rate_only_consecutive_failures_count() -> None:
    one = breaker(failures=3)
    for _ in range(100):
        assert not fail(one, 0, 2)
        succeed(one, 0)


def test_failures_older_than_the_window_do_not_count() -> None:
    one = breaker(failures=1000, rate=0.5, window=60, calls=10)
    fail(one, 0, 9)
    assert not fail(one, 70), "one call in the window, not ten"


def test_the_window_forgets_by_tenths() -> None:
    window = Window(10)
    for second in range(10):
        window.add(second, failed=second % 2 == 0)
    assert window.totals(9.5) == (10, 5)
    assert window.totals(10.5) == (9, 4)
    assert window.totals(14.5) == (5, 2)
    assert window.totals(1000) == (0, 0)


class BreakerMachine(RuleBasedStateMachine):
    """Any order of calls, endings and waits, beside a model that says it in plain words."""

    FAILURES: ClassVar = 3
    OPEN_FOR: ClassVar = 30.0

    @initialize(probes=st.integers(1, 3))
    def start(self, probes: int) -> None:
        self.one = breaker(failures=self.FAILURES, open_for=self.OPEN_FOR, probes=probes)
        self.now = 0.0
        self.probes = probes
        self.out: list[tuple[int, int]] = []
        """Permits not returned, each with the period in which it was given."""
        self.period = 0
        self.state: BreakerState = "closed"
        self.until = 0.0
        self.in_a_row = 0
        self.succeeded = 0

    def enter(self, state: BreakerState) -> None:
        self.state, self.period, self.in_a_row, self.succeeded = state, self.period + 1, 0, 0

    def mine(self) -> int:
        return sum(period == self.period for _, period in self.out)

    @rule(seconds=st.sampled_from([0.5, 10.0, 29.0, 30.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def call(self) -> None:
        if self.state == "open" and self.now >= self.until:
            self.enter("half_open")
        free = self.state == "closed" or (self.state == "half_open" and self.mine() + self.succeeded < self.probes)
        permit = self.one.admit(self.now)
        assert (permit != REFUSED) == free
        if permit != REFUSED:
            self.out.append((permit, self.period))

    @precondition(lambda self: self.out)
    @rule(place=st.integers(0, 100), ending=st.sampled_from(["success", "failure", "release"]))
    def end(self, place: int, ending: str) -> None:
        permit, period = self.out.pop(place % len(self.out))
        counts = period == self.period
        if ending == "release":
            self.one.release(permit)
        elif ending == "success":
            closes = counts and self.state == "half_open" and self.succeeded + 1 == self.probes
            assert self.one.success(permit, self.now) == closes
            if counts:
                self.in_a_row = 0
                self.succeeded += 1
            if closes:
                self.enter("closed")
        else:
            opens = counts and (self.state == "half_open" or self.in_a_row + 1 >= self.FAILURES)
            assert self.one.failure(permit, self.now) == opens
            if counts:
                self.in_a_row += 1
            if opens:
                self.enter("open")
                self.until = self.now + self.OPEN_FOR

    @invariant()
    def agree(self) -> None:
        if hasattr(self, "one"):
            shown = "half_open" if self.state == "open" and self.now >= self.until else self.state
            assert self.one.state(self.now) == shown


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = hypothesis_settings(max_examples=100, stateful_step_count=40, deadline=None)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esclusa.connectors import retry
from esclusa.connectors.backend import Outcome, Reason
from esclusa.connectors.settings import RetrySettings
from esclusa.kernel.duration import Duration

SETTINGS = RetrySettings(attempts=10, first=Duration(0.1), most=Duration(2))
AGAIN = Outcome(reason=Reason.BACKEND_ERROR, again=True)


@pytest.mark.parametrize(("attempts", "bound"), [(1, 0.1), (2, 0.2), (3, 0.4), (5, 1.6), (6, 2.0), (9, 2.0)])
def test_the_bound_of_the_wait_doubles_from_attempt_to_attempt_up_to_the_most(attempts: int, bound: float) -> None:
    assert retry.wait(SETTINGS, attempts, AGAIN, 0.0) == 0.0
    assert retry.wait(SETTINGS, attempts, AGAIN, 0.5) == pytest.approx(bound / 2)


def test_no_number_of_attempts_is_too_many_to_compute() -> None:
    many = RetrySettings(attempts=100_000, first=Duration(0.1), most=Duration(2))
    assert retry.wait(many, 99_999, AGAIN, 1.0) == 2.0


def test_what_the_back_end_asks_for_is_waited_for_with_the_jitter_on_top() -> None:
    outcome = Outcome(reason=Reason.BACKEND_ERROR, again=True, after=7.0)
    assert retry.wait(SETTINGS, 1, outcome, 0.5) == pytest.approx(7.05)


def test_the_last_attempt_is_the_last() -> None:
    assert retry.wait(SETTINGS, 9, AGAIN, 0.5) is not None
    assert retry.wait(SETTINGS, 10, AGAIN, 0.5) is None


def test_by_default_there_is_no_second_attempt() -> None:
    assert retry.wait(RetrySettings(), 1, AGAIN, 0.5) is None


def test_what_may_not_be_asked_again_is_not() -> None:
    assert retry.wait(SETTINGS, 1, Outcome(reason=Reason.BACKEND_ERROR), 0.5) is None


def test_a_success_is_never_repeated() -> None:
    assert retry.wait(SETTINGS, 1, Outcome(again=True), 0.5) is None


@given(
    first=st.floats(0, 60),
    most=st.floats(0, 600),
    of=st.integers(1, 50),
    attempts=st.integers(1, 60),
    after=st.floats(0, 86_400),
    fraction=st.floats(0, 1, exclude_max=True),
)
def test_a_wait_is_within_its_bounds_and_there_are_never_too_many(
    first: float, most: float, of: int, attempts: int, after: float, fraction: float
) -> None:
    settings = RetrySettings(attempts=of, first=Duration(first), most=Duration(most))
    rest = retry.wait(settings, attempts, Outcome(reason=Reason.BACKEND_ERROR, again=True, after=after), fraction)
    if attempts >= of:
        assert rest is None
    else:
        assert rest is not None
        assert after <= rest <= after + most

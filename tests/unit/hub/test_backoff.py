"""Waits that double, up to a limit, until something succeeds."""

from __future__ import annotations

from esclusa.hub.backoff import FIRST, MOST, Backoff


def test_each_wait_is_twice_the_one_before_up_to_the_most() -> None:
    backoff = Backoff()
    assert [backoff.next() for _ in range(4)] == [FIRST, FIRST * 2, FIRST * 4, FIRST * 8]
    assert [backoff.next() for _ in range(3)][-1] == MOST


def test_after_a_success_the_next_failure_is_a_first_one() -> None:
    backoff = Backoff()
    backoff.next()
    backoff.succeeded()
    assert backoff.next() == FIRST

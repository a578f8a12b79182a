"""What a call that brought no answer means, and when to come back."""

from __future__ import annotations

import pytest

from esclusa.connectors.http.endings import refused, seconds_until, unanswered
from esclusa.connectors.transport import HttpError, Response
from esclusa.kernel.errors import HttpErrorKind
from esclusa.testing.virtual import EPOCH


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30.0),
        ("Fri, 15 Jan 2027 08:00:30 -0000", 30.0),
        ("Fri, 15 Jan 2027 07:59:30 GMT", 0.0),
        ("-5", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        ("٣", 0.0),
        ("9" * 5000, 86_400.0),
        ("Fri, 15 Jan 2037 08:00:30 GMT", 86_400.0),
        ("Fri, 99 Jan 99999 08:00:30 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float) -> None:
    assert seconds_until(value.encode(), EPOCH) == seconds


def test_without_retry_after_nothing_is_asked_for() -> None:
    assert seconds_until(None, EPOCH) == 0


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("token", "connection"),
        ("busy", ""),
        ("resolve", "connection"),
        ("connect", "connection"),
        ("tls", "connection"),
        ("closed", "connection"),
        ("protocol", "answer"),
        ("too_large", "answer"),
        ("aborted", ""),
    ],
)
def test_why_there_is_no_answer_is_told_to_the_breaker(kind: HttpErrorKind, cause: str) -> None:
    assert unanswered(HttpError(kind, "why"), idempotent=True).cause == cause


def test_a_status_is_told_to_the_breaker() -> None:
    assert refused(Response(418, [], b""), EPOCH, idempotent=True).cause == "418"

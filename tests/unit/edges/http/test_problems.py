"""Problem details (RFC 9457): one type an error."""

from __future__ import annotations

import msgspec
import pytest

from esclusa.edges.http.problems import MOST_ERRORS, PROBLEMS, ProblemBody, body_of, headers_of, problem_of
from esclusa.edges.http.trace import Trace
from esclusa.kernel import errors
from esclusa.kernel.errors import Fault, InvalidParams, Refused, TooManyOpen, Unauthorized, Unavailable

TRACE = Trace("a" * 32, "b" * 16)


@pytest.mark.parametrize("refused", Refused.__subclasses__(), ids=lambda cls: cls.name)
def test_every_refusal_is_a_problem(refused: type[Refused]) -> None:
    body = msgspec.json.decode(body_of(refused(), TRACE), type=ProblemBody)
    assert body.type == f"/problems/{refused.name}"
    assert body.title == refused.title
    assert body.status == PROBLEMS[refused.name].status
    assert body.trace_id == TRACE.id
    assert PROBLEMS[refused.name].description


def test_nothing_else_is_one() -> None:
    assert PROBLEMS.keys() == {refused.name for refused in Refused.__subclasses__()}


@pytest.mark.parametrize(
    ("refused", "status"),
    [
        (errors.Malformed, 400),
        (errors.Unauthorized, 401),
        (errors.Forbidden, 403),
        (errors.NotFound, 404),
        (errors.MethodNotAllowed, 405),
        (errors.TooSlow, 408),
        (errors.TooLarge, 413),
        (errors.UnsupportedType, 415),
        (errors.UnknownQuery, 422),
        (errors.InvalidParams, 422),
        (errors.InvalidSubject, 422),
        (errors.IdempotencyMismatch, 422),
        (errors.TooManyOpen, 429),
        (errors.HeadersTooLarge, 431),
        (errors.Internal, 500),
        (errors.Unavailable, 503),
    ],
)
def test_the_statuses_are_those_of_the_contract(refused: type[Refused], status: int) -> None:
    assert problem_of(refused()).status == status


def test_everything_that_is_wrong_is_named_with_a_pointer() -> None:
    refused = InvalidParams("Two things", faults=(Fault("/params/period", "Required"), Fault("/params/x", "No such one")))
    body = msgspec.json.decode(body_of(refused, TRACE))
    assert body["detail"] == "Two things"
    assert body["errors"] == [
        {"pointer": "/params/period", "message": "Required"},
        {"pointer": "/params/x", "message": "No such one"},
    ]


def test_what_is_not_known_is_left_out() -> None:
    assert set(msgspec.json.decode(body_of(Unauthorized(), TRACE))) == {"type", "title", "status", "traceId"}


def test_when_to_try_again_is_said_in_whole_seconds() -> None:
    assert headers_of(TooManyOpen(retry_after=1.2))["retry-after"] == "2"
    assert headers_of(Unavailable())["retry-after"] == "1"
    assert "retry-after" not in headers_of(InvalidParams())


@pytest.mark.parametrize(
    ("count", "listed", "detail"),
    [
        (MOST_ERRORS, MOST_ERRORS, "Wrong"),
        (MOST_ERRORS + 1, MOST_ERRORS, "Wrong; 1 more errors are not listed"),
        (15_000, MOST_ERRORS, "Wrong; 14950 more errors are not listed"),
    ],
)
def test_so_many_errors_are_listed_and_the_others_counted(count: int, listed: int, detail: str) -> None:
    faults = tuple(Fault(f"/connectors/{place}", "No such connector") for place in range(count))
    body = msgspec.json.decode(body_of(InvalidParams("Wrong", faults=faults), TRACE))
    assert [error["pointer"] for error in body["errors"]] == [fault.pointer for fault in faults[:listed]]
    assert body["detail"] == detail


def test_how_to_authenticate_is_said() -> None:
    assert headers_of(Unauthorized())["www-authenticate"].startswith("Bearer")

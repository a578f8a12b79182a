"""JSON in and out: the contract's words, spelled as it spells them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest

from esclusa.connectors.backend import Reason
from esclusa.edges.http.health import Loss
from esclusa.edges.http.problems import PROBLEMS
from esclusa.edges.http.wire import answer_body, health_body, problem_type_body, receipt_body, snapshot_body, submission_of
from esclusa.hub.snapshot import Answer, Snapshot
from esclusa.hub.submission import Receipt
from esclusa.kernel.errors import Malformed

ID = UUID("01a3185c-50c3-73d0-b29a-252bd5b8870e")
T = 1_800_000_000_000
OK = Answer(connector="dgt", title="Tráfico", attempts=1, elapsed=120, received=T + 456, data=b'{"n": 1.10, "a":[ ]}')
KO = Answer(
    connector="aeat",
    title="Hacienda",
    reason=Reason.BACKEND_TIMEOUT,
    detail="No answer in time",
    attempts=3,
    elapsed=4000,
    received=T + 4000,
)
NONE = Answer(connector="sepe", title="Empleo", reason=Reason.NO_ANSWER, detail="No answer before the deadline")


def decoded(body: bytes) -> Any:
    return msgspec.json.decode(body)


def test_a_snapshot() -> None:
    snapshot = Snapshot(
        id=ID,
        query="q",
        created=T,
        deadline=T + 60_000,
        expires=T + 600_000,
        query_more=True,
        complete=False,
        retry_after=2000,
        answers=[OK, KO],
        pending=["sepe"],
        tag="tag",
    )
    assert decoded(snapshot_body(snapshot)) == {
        "id": str(ID),
        "query": "q",
        "createdAt": "2027-01-15T08:00:00.000Z",
        "deadline": "2027-01-15T08:01:00.000Z",
        "expiresAt": "2027-01-15T08:10:00.000Z",
        "queryMore": True,
        "complete": False,
        "retryAfterMs": 2000,
        "answers": [
            {
                "connector": "dgt",
                "title": "Tráfico",
                "state": "ok",
                "attempts": 1,
                "elapsedMs": 120,
                "receivedAt": "2027-01-15T08:00:00.456Z",
                "data": {"n": 1.1, "a": []},
            },
            {
                "connector": "aeat",
                "title": "Hacienda",
                "state": "ko",
                "reason": "backend_timeout",
                "detail": "No answer in time",
                "attempts": 3,
                "elapsedMs": 4000,
                "receivedAt": "2027-01-15T08:00:04.000Z",
            },
        ],
        "pending": ["sepe"],
    }


def test_who_has_not_answered_has_no_times() -> None:
    answer = decoded(answer_body(NONE))
    assert (answer["attempts"], answer["elapsedMs"], answer["receivedAt"]) == (0, None, None)
    assert (answer["state"], answer["reason"]) == ("ko", "no_answer")


def test_what_a_back_end_said_is_passed_on_as_it_is() -> None:
    assert OK.data is not None
    assert OK.data in answer_body(OK)


def test_a_receipt() -> None:
    receipt = Receipt(id=ID, query="q", created=T, deadline=T + 60_000, expires=T + 600_000, retry_after=1500)
    assert decoded(receipt_body(receipt, "/there")) == {
        "id": str(ID),
        "query": "q",
        "createdAt": "2027-01-15T08:00:00.000Z",
        "deadline": "2027-01-15T08:01:00.000Z",
        "expiresAt": "2027-01-15T08:10:00.000Z",
        "statusUrl": "/there",
    }


def test_health() -> None:
    assert decoded(health_body("ready")) == {"status": "ready"}
    assert decoded(health_body("degraded", [Loss("sqlite", T, "The disk is full")])) == {
        "status": "degraded",
        "lost": [{"part": "sqlite", "since": "2027-01-15T08:00:00.000Z", "reason": "The disk is full"}],
    }


def test_a_type_of_problem() -> None:
    said = decoded(problem_type_body(PROBLEMS["not-found"]))
    assert (said["type"], said["status"]) == ("/problems/not-found", 404)
    assert said["description"]


def test_a_question() -> None:
    submission = submission_of(b'{"query": "q", "subject": "12345678Z", "params": {"a": {"b": [1]}}, "connectors": ["dgt"]}')
    assert (submission.query, submission.subject, submission.params, submission.connectors) == (
        "q",
        "12345678Z",
        {"a": {"b": [1]}},
        ["dgt"],
    )
    short = submission_of(b'{"query": "q", "subject": "s"}')
    assert (short.params, short.connectors) == ({}, None)


@pytest.mark.parametrize(
    ("body", "pointer", "message"),
    [
        (b"null", "", "Expected `object`, got `null`"),
        (b'{"subject": "s"}', "/query", "Required"),
        (b'{"query": 1, "subject": "s"}', "/query", "Expected `str`, got `int`"),
        (b'{"query": "q", "subject": null}', "/subject", "Expected `str`, got `null`"),
        (b'{"query": "q", "subject": "s", "params": []}', "/params", "Expected `object`, got `array`"),
        (b'{"query": "q", "subject": "s", "connectors": ["a", 2]}', "/connectors/1", "Expected `str`, got `int`"),
        (b'{"query": "q", "subject": "s", "a~/b": 1}', "/a~0~1b", "There is no such field"),
        (b'{"query": "q", "subject": "s", "params": {"a": 1e999}}', "/params", "Number out of range"),
    ],
)
def test_what_is_no_question_is_pointed_at(body: bytes, pointer: str, message: str) -> None:
    with pytest.raises(Malformed) as refused:
        submission_of(body)
    (fault,) = refused.value.faults
    assert (fault.pointer, fault.message) == (pointer, message)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"query": "\xff"}',
        b'{"query": "\\ud800", "subject": "s"}',
        b'{"query": "q", "subject": "s", "params": {"a": NaN}}',
        b'{"query": "q", "subject": "s", "params": {"a": ' + b"[" * 60_000,
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed, match="JSON"):
        submission_of(body)

"""What somebody else's code says is looked at before it stands beside others' answers."""

from __future__ import annotations

from typing import Any

import pytest

from esclusa.connectors.backend import TOO_LARGE, Outcome, Reason, checked

LATE = Reason.BACKEND_TIMEOUT


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(),
        Outcome(data='{"name": "Núñez"}'.encode(), detail="Of two offices, one is missing"),
        Outcome(reason=Reason.BACKEND_ERROR, detail="Closed on Sundays", again=True, after=1.5, failure=True, cause="fault"),
    ],
)
def test_what_an_outcome_promises_passes(outcome: Outcome) -> None:
    assert checked(outcome, 1000) == outcome


def test_what_is_as_good_is_made_so() -> None:
    made = Outcome(reason="backend_timeout", after=2)  # type: ignore[arg-type]  # as one may write it
    assert checked(made, 1000) == Outcome(reason=LATE, after=2.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": b'{"name": "An'},
        {"data": b"1 2"},
        {"data": b""},
        {"data": b'"\xff"'},
        {"data": b"[" * 100_000},
        {"data": "text"},
        {"data": b"1", "reason": LATE},
        {"reason": Reason.CIRCUIT_OPEN},
        {"reason": "no such"},
        {"detail": 7},
        {"detail": "\x1b[2J"},
        {"detail": "x" * 501},
        {"after": -1.0},
        {"after": float("nan")},
        {"after": float("inf")},
        {"failure": 1},
        {"cause": None},
        {"cause": "because"},
    ],
    ids=str,
)
def test_anything_else_is_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="The outcome that it returned is none"):
        checked(Outcome(**wrong), 1_000_000)


def test_no_more_data_than_may_be() -> None:
    assert checked(Outcome(data=b'"x"'), 3).data == b'"x"'
    with pytest.raises(ValueError, match=TOO_LARGE):
        checked(Outcome(data=b'"xx"'), 3)

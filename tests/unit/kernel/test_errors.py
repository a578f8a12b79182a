"""What errors say, and to whom. That there is one tree of them is held by tests/rules/test_errors.py."""

from __future__ import annotations

import pytest

from esclusa.kernel.errors import (
    ConfigurationError,
    EsclusaError,
    Fault,
    HttpError,
    InvalidParams,
    Mistake,
    NotFound,
    PartDied,
    Refused,
    StorageBusy,
    StorageError,
    TransportError,
    Unavailable,
)


def test_a_mistake_says_where_and_what() -> None:
    assert str(Mistake("esclusa.toml", 3, "no such key")) == "esclusa.toml:3: no such key"
    assert str(Mistake("esclusa.toml", 0, "no table [queries]")) == "esclusa.toml: no table [queries]"


def test_every_mistake_of_a_configuration_is_told() -> None:
    mistakes = [Mistake("a.toml", 1, "one"), Mistake("a.toml", 2, "two")]
    error = ConfigurationError(mistakes)
    assert error.mistakes == mistakes
    assert str(error).splitlines() == ["a.toml:1: one", "a.toml:2: two"]


def test_a_death_names_the_part_and_keeps_its_cause() -> None:
    cause = ValueError("why")
    death = PartDied("pool.requests", cause)
    assert (death.part, death.__cause__) == ("pool.requests", cause)
    assert str(death) == "pool.requests: ValueError('why')"


@pytest.mark.parametrize("sent", [False, True])
def test_a_failed_call_says_what_happened_and_whether_the_back_end_may_have_acted(sent: bool) -> None:
    error = HttpError("closed", "The back end closed the connection", sent=sent)
    assert (error.kind, error.detail, error.sent) == ("closed", "The back end closed the connection", sent)
    assert str(error) == "closed: The back end closed the connection"
    assert isinstance(error, TransportError)


def test_unless_said_otherwise_nothing_was_sent() -> None:
    assert not HttpError("busy", "").sent


def test_a_refusal_says_its_title_where_it_has_no_more_to_say() -> None:
    assert (str(NotFound()), NotFound().detail) == ("There is nothing here", "")
    assert (str(NotFound("gone")), NotFound("gone").detail) == ("gone", "gone")


def test_a_refusal_bears_what_its_problem_needs() -> None:
    faults = (Fault("/params/year", "not a number"),)
    refused = InvalidParams("one is wrong", faults=faults)
    assert (refused.faults, refused.retry_after) == (faults, None)
    assert Unavailable("full", retry_after=1).retry_after == 1
    assert Refused().faults == ()


def test_who_catches_a_kind_catches_all_of_it() -> None:
    with pytest.raises(StorageError):
        raise StorageBusy("another process has it")
    with pytest.raises(EsclusaError):
        raise NotFound

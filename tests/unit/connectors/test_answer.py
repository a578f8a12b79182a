"""What a connector says of one question."""

from __future__ import annotations

from esclusa.connectors.answer import Answer
from esclusa.connectors.backend import Reason


def test_what_is_refused_was_never_called_and_is_answered_now() -> None:
    answer = Answer.refused(Reason.REJECTED, "Not served here", 1_795_000_000.25)
    assert (answer.reason, answer.data, answer.detail) == (Reason.REJECTED, None, "Not served here")
    assert (answer.attempts, answer.elapsed, answer.called) == (0, 0, 0)
    assert answer.answered == 1_795_000_000_250

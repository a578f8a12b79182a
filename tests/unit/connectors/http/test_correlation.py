"""A call can be found again by the question that it was made for."""

from __future__ import annotations

import re

import pytest

from esclusa.connectors.backend import Question
from esclusa.connectors.http.correlation import Correlation
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids

QUESTION = Question("01890a5d-ac96-774b-bcce-b302099a8057", "q", "12345678Z", {})


async def test_the_id_of_the_question_is_the_requests_and_the_traces() -> None:
    ids = Ids(Clock())
    first, second = (dict(Correlation((), ids).fields(QUESTION)) for _ in range(2))
    assert first[b"X-Request-Id"] == QUESTION.request.encode()
    assert re.fullmatch(rb"00-01890a5dac96774bbcceb302099a8057-[0-9a-f]{16}-01", first[b"traceparent"])
    assert first[b"traceparent"] != second[b"traceparent"], "each call has a span of its own"


@pytest.mark.parametrize(
    ("given", "names"),
    [(["x-request-id"], [b"traceparent"]), (["traceparent"], [b"X-Request-Id"]), (["x-request-id", "traceparent"], [])],
)
async def test_what_the_settings_have_is_left_to_them(given: list[str], names: list[bytes]) -> None:
    assert [name for name, _ in Correlation(given, Ids(Clock())).fields(QUESTION)] == names

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import UUID

import pytest
from stdnum.es import nif

from esclusa.connectors.backend import Reason
from esclusa.demo.crowd import EVERY, Crowd
from esclusa.edges.http.wire import AnswerBody, ReceiptBody, SnapshotBody, SubmissionBody
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import TooManyOpen
from esclusa.testing.virtual import EPOCH

pytestmark = pytest.mark.virtual_time
WHEN = "2027-01-15T08:00:00.000Z"
Meets = Callable[[str, int], Reason | None]
"""What the nth who asks this body meets; None: it is still waiting."""


def full_and_open(body: str, place: int) -> Reason | None:
    if body == "justicia":
        return Reason.BACKEND_ERROR if place <= 3 else Reason.CIRCUIT_OPEN
    return Reason.REJECTED if body == "sepe" and place > 3 else None


class Api:
    """Takes every question, and answers it with what its body does to the nth who asks."""

    def __init__(self, meets: Meets = full_and_open) -> None:
        self.submitted: list[SubmissionBody] = []
        self.refuses = False
        self.following = 0
        self._meets = meets
        self._answers: dict[UUID, Reason | None] = {}

    def of(self, body: str | None) -> list[SubmissionBody]:
        return [question for question in self.submitted if question.connectors == (body and [body])]

    async def submit(self, submission: SubmissionBody, /) -> ReceiptBody:
        if self.refuses:
            raise TooManyOpen
        self.submitted.append(submission)
        id = UUID(int=len(self.submitted))
        body = submission.connectors[0] if submission.connectors else ""
        self._answers[id] = self._meets(body, len(self.of(body)))
        return ReceiptBody(id=id, query=submission.query, created_at=WHEN, deadline=WHEN, expires_at=WHEN, status_url="/")

    async def follow(self, receipt: ReceiptBody, /) -> AsyncIterator[SnapshotBody]:
        self.following += 1
        try:
            yield snapshot(receipt.id, [])
            if (reason := self._answers[receipt.id]) is None:
                await asyncio.Event().wait()
                return
            answer = AnswerBody(connector="x", title="X", state="ko", reason=reason, attempts=0, elapsed_ms=0, received_at=WHEN)
            yield snapshot(receipt.id, [answer])
        finally:
            self.following -= 1


def snapshot(id: UUID, answers: list[AnswerBody]) -> SnapshotBody:
    return SnapshotBody(
        id=id,
        query="q",
        created_at=WHEN,
        deadline=WHEN,
        expires_at=WHEN,
        query_more=not answers,
        complete=False,
        retry_after_ms=0,
        answers=answers,
        pending=[],
    )


def crowd(api: Api) -> Crowd:
    return Crowd(api, Clock(epoch=EPOCH))


async def test_it_asks_until_the_breaker_is_seen_open_and_the_line_full() -> None:
    api = Api()
    await crowd(api).assemble()
    assert len(api.of("justicia")) == 4
    assert len(api.of("sepe")) == 6
    assert len(api.of("registro-propiedad")) == 5
    assert asyncio.get_running_loop().time() < 1


async def test_it_asks_again_where_the_breaker_needs_more() -> None:
    api = Api(
        lambda body, place: Reason.BACKEND_ERROR if body == "justicia" and place <= 10 else full_and_open(body, place + 10)
    )
    await crowd(api).assemble()
    assert len(api.of("justicia")) == 12


async def test_it_gives_up_on_a_body_that_does_not_become_as_it_should_be() -> None:
    api = Api(lambda *_: None)
    await crowd(api).assemble()
    assert asyncio.get_running_loop().time() == pytest.approx(5.0)


async def test_it_leaves_nothing_behind() -> None:
    api = Api()
    await crowd(api).assemble()
    assert api.following == 0
    assert len(asyncio.all_tasks()) == 1


async def test_a_refusal_at_the_beginning_is_told() -> None:
    api = Api()
    api.refuses = True
    with pytest.raises(TooManyOpen):
        await crowd(api).assemble()


async def test_everybody_is_somebody_else_with_a_valid_nif() -> None:
    api = Api()
    await crowd(api).assemble()
    subjects = [question.subject for question in api.submitted]
    assert len(set(subjects)) == len(subjects)
    assert all(map(nif.is_valid, subjects))


async def test_it_goes_on_asking_now_and_then_for_as_long_as_it_is_wanted() -> None:
    api = Api()
    async with crowd(api).going_on():
        await asyncio.sleep(EVERY * 10.5)
        assert len(api.submitted) == 10
        assert {question.query for question in api.submitted} == {"vehiculos", "prestaciones", "propiedades", "expedientes"}
        assert all(len(question.params["province"]) == 2 for question in api.of(None))
    await asyncio.sleep(EVERY * 3)
    assert len(api.submitted) == 10


async def test_a_service_that_is_full_for_a_while_does_not_stop_it() -> None:
    api = Api()
    async with crowd(api).going_on():
        api.refuses = True
        await asyncio.sleep(EVERY * 2.5)
        api.refuses = False
        await asyncio.sleep(EVERY * 2)
    assert len(api.submitted) == 2


async def test_what_breaks_it_is_told_at_the_end() -> None:
    class Broken(Api):
        async def submit(self, _: SubmissionBody, /) -> ReceiptBody:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with crowd(Broken()).going_on():
            await asyncio.sleep(EVERY * 2)

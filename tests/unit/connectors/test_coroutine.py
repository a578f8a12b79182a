from __future__ import annotations

import asyncio

import pytest

from esclusa.connectors.backend import Outcome, Question, Reason
from esclusa.connectors.coroutine import LAST_WORDS, CoroutineBackend
from esclusa.kernel.clock import Clock
from esclusa.testing.virtual import EPOCH

pytestmark = pytest.mark.virtual_time

QUESTION = Question("01890a5d-ac96-774b-bcce-b302099a8057", "expedientes", "12345678Z", {})


class Protocol:
    """A coroutine that takes `seconds`, and what became of it."""

    def __init__(self, seconds: float = 0.0, error: Exception | None = None) -> None:
        self.clock = Clock(epoch=EPOCH)
        self.seconds = seconds
        self.error = error
        self.seen: list[tuple[Question, float]] = []
        self.cancelled = 0
        self.closed = 0
        self.deaf = False
        self.outcomes: list[Outcome] = []
        self.backend = CoroutineBackend(self.ask, self.clock, idempotent=True, concurrency=2, close=self.close)

    async def ask(self, question: Question, by: float) -> Outcome:
        self.seen.append((question, by - EPOCH))
        try:
            await self.clock.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            if self.deaf:
                await self.clock.sleep(1000)
            raise
        if self.error is not None:
            raise self.error
        return Outcome(data=b"[1]")

    async def close(self) -> None:
        self.closed += 1

    async def wait(self, seconds: float) -> list[Outcome]:
        await self.clock.sleep(seconds)
        return self.outcomes


async def test_what_the_coroutine_returns_is_the_outcome() -> None:
    protocol = Protocol(seconds=2)
    protocol.backend.ask(QUESTION, EPOCH + 5, protocol.outcomes.append)
    assert protocol.outcomes == []
    assert await protocol.wait(3) == [Outcome(data=b"[1]")]
    assert protocol.seen == [(QUESTION, 5)]
    assert protocol.cancelled == 0


async def test_at_its_time_it_is_cancelled_and_that_is_a_timeout_that_counts() -> None:
    protocol = Protocol(seconds=20)
    protocol.backend.ask(QUESTION, EPOCH + 5, protocol.outcomes.append)
    assert await protocol.wait(4.9) == []
    (outcome,) = await protocol.wait(0.2)
    assert (outcome.reason, outcome.again, outcome.failure) == (Reason.BACKEND_TIMEOUT, True, True)
    assert protocol.cancelled == 1


async def test_what_goes_on_although_it_is_cancelled_is_bounded() -> None:
    protocol = Protocol(seconds=20)
    protocol.deaf = True
    for _ in range(6):
        protocol.backend.ask(QUESTION, EPOCH + 5, protocol.outcomes.append)
    outcomes = list(await protocol.wait(6))
    assert len(protocol.seen) == 4, "twice as many as are expected at a time"
    assert [outcome.detail for outcome in outcomes[:2]] == ["Calls that should have ended still go on"] * 2
    assert [outcome.reason for outcome in outcomes[2:]] == [Reason.BACKEND_TIMEOUT] * 4
    await protocol.wait(1000)
    protocol.deaf, protocol.seconds = False, 0
    protocol.backend.ask(QUESTION, protocol.clock.now() + 5, protocol.outcomes.append)
    assert (await protocol.wait(1))[-1] == Outcome(data=b"[1]")


async def test_if_it_raises_that_is_an_error_that_counts_and_is_not_repeated() -> None:
    protocol = Protocol(error=ValueError("told to"))
    protocol.backend.ask(QUESTION, EPOCH + 5, protocol.outcomes.append)
    (outcome,) = await protocol.wait(1)
    assert (outcome.reason, outcome.again, outcome.failure) == (Reason.BACKEND_ERROR, False, True)
    assert "told to" not in outcome.detail, "our words, never the back end's"


async def test_aborted_it_is_cancelled_and_nothing_is_told() -> None:
    protocol = Protocol(seconds=2)
    abort = protocol.backend.ask(QUESTION, EPOCH + 5, protocol.outcomes.append)
    await protocol.wait(1)
    abort()
    assert await protocol.wait(20) == []
    assert protocol.cancelled == 1


async def test_an_abort_after_the_end_does_nothing() -> None:
    protocol = Protocol()
    abort = protocol.backend.ask(QUESTION, EPOCH + 5, protocol.outcomes.append)
    assert len(await protocol.wait(1)) == 1
    abort()
    assert len(await protocol.wait(20)) == 1


async def test_closing_ends_what_is_in_flight_as_an_error_and_then_closes_the_protocol() -> None:
    protocol = Protocol(seconds=20)
    protocol.backend.ask(QUESTION, EPOCH + 50, protocol.outcomes.append)
    await protocol.wait(1)
    await protocol.backend.close()
    assert [outcome.reason for outcome in protocol.outcomes] == [Reason.BACKEND_ERROR]
    assert (protocol.cancelled, protocol.closed) == (1, 1)


async def test_closing_does_not_wait_for_ever_for_one_that_goes_on() -> None:
    protocol = Protocol(seconds=20)
    protocol.deaf = True
    protocol.backend.ask(QUESTION, EPOCH + 50, protocol.outcomes.append)
    await protocol.wait(1)
    await protocol.backend.close()
    assert protocol.clock.now() - EPOCH == pytest.approx(1 + LAST_WORDS)

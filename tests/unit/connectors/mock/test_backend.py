"""A made-up back end: scripted or by probability, under the policies of a real one (H10)."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from esclusa.connectors.answer import Answer
from esclusa.connectors.assembly import faults, make_backend
from esclusa.connectors.backend import Question, Reason
from esclusa.connectors.connector import Connector
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.mock import MockBackend, MockedSettings
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.settings import MockSettings, MockStepSettings, RetrySettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument
from esclusa.testing.virtual import EPOCH

pytestmark = pytest.mark.virtual_time

QUESTION = Question("01890a5d-ac96-774b-bcce-b302099a8057", "expedientes", "12345678Z", {"office": "28"})


class Mocked:
    """A connector before a made-up back end, in virtual time."""

    def __init__(self, *steps: MockStepSettings, order: Any = "turns", **settings: Any) -> None:
        self.clock = Clock(epoch=EPOCH)
        ids = Ids(self.clock, seed=7)
        said = MockedSettings(mock=MockSettings(steps=list(steps), order=order), **settings)
        backend = make_backend("dgt", said, None, Workshop(self.clock, ids, 1000, Contexts()))
        self.connector = Connector("dgt", backend, said, self.clock, ids, Instrument())

    async def ask(self, seconds: float = 60.0) -> tuple[Answer, float]:
        """The answer, and the seconds that it took."""
        begun = self.clock.now()
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.connector.offer(QUESTION, begun + seconds, answered.set_result)
        return await answered, self.clock.now() - begun


async def test_with_nothing_said_it_tells_who_was_asked_about_what() -> None:
    answer, took = await Mocked().ask()
    assert msgspec.json.decode(answer.data or b"") == {"connector": "dgt", "subject": "12345678Z", "mock": True}
    assert took < 0.01


async def test_it_does_what_it_is_told_in_turns() -> None:
    mocked = Mocked(
        MockStepSettings(data={"at": "{params.office}"}, delay=Duration(2)),
        MockStepSettings(ends="empty"),
        MockStepSettings(ends="backend_error"),
        MockStepSettings(ends="backend_timeout"),
    )
    for _ in range(2):
        one, took = await mocked.ask()
        assert (one.data, round(took, 3)) == (b'{"at":"28"}', 2.0)
        two, _ = await mocked.ask()
        assert (two.reason, two.data) == (None, None)
        three, _ = await mocked.ask()
        assert three.reason is Reason.BACKEND_ERROR
        four, took = await mocked.ask()
        assert (four.reason, round(took, 3)) == (Reason.BACKEND_TIMEOUT, 10.0)


async def test_by_probability_each_is_done_about_as_often_as_its_weight_says() -> None:
    mocked = Mocked(MockStepSettings(weight=0.9), MockStepSettings(ends="empty", weight=0.1), order="random")
    empty = sum([(await mocked.ask())[0].data is None for _ in range(500)])
    assert 25 < empty < 80


async def test_a_delay_is_between_the_two_that_are_told() -> None:
    mocked = Mocked(MockStepSettings(delay=Duration(1), most=Duration(3)))
    times = [(await mocked.ask())[1] for _ in range(100)]
    assert 1 <= min(times) < 1.3
    assert 2.7 < max(times) <= 3.01


async def test_it_stands_under_the_policies_of_a_real_one() -> None:
    again = Mocked(MockStepSettings(ends="backend_error"), MockStepSettings(), retry=RetrySettings(attempts=2))
    answer, _ = await again.ask()
    assert (answer.reason, answer.attempts) == (None, 2)
    slow = Mocked(MockStepSettings(delay=Duration(9)), timeout=Duration(1))
    assert (await slow.ask())[0].reason is Reason.BACKEND_TIMEOUT


async def test_what_it_answers_is_transformed_and_bounded() -> None:
    assert (await Mocked(MockStepSettings(data={"a": {"b": [1]}}), transform="a.b").ask())[0].data == b"[1]"
    assert (await Mocked(MockStepSettings(data="x" * 2000)).ask())[0].reason is Reason.BACKEND_ERROR
    assert (await Mocked(MockStepSettings(data="x"), transform="sum(@)").ask())[0].reason is Reason.BACKEND_ERROR


async def test_any_connector_can_be_mocked_and_connects_to_nothing_then() -> None:
    clock = Clock(epoch=EPOCH)
    settings = RestSettings(url="http://no.such.body.example/{subject}", mock=True)
    backend = make_backend("dgt", settings, None, Workshop(clock, Ids(clock), 1000, Contexts()))
    assert isinstance(backend, MockBackend)
    assert backend.idempotent
    await backend.close()


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (MockStepSettings(data={"a": "{nobody}"}), "placeholder"),
        (MockStepSettings(delay=Duration(2), most=Duration(1)), "less than its delay"),
        (MockStepSettings(data="x", ends="empty"), "leave one of the two out"),
    ],
)
def test_what_can_not_be_done_is_named_with_its_key(step: MockStepSettings, words: str) -> None:
    ((path, what),) = faults("dgt", MockedSettings(mock=MockSettings(steps=[step])))
    assert path == ("connectors", "dgt", "mock")
    assert words in what

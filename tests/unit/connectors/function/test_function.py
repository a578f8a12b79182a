"""A connector may be a Python function: what it returns is the answer (H10)."""

from __future__ import annotations

import asyncio
import sys
import threading
import types
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from esclusa.connectors.answer import Answer
from esclusa.connectors.assembly import faults, make_backend
from esclusa.connectors.backend import Outcome, Question, Reason
from esclusa.connectors.connector import Connector
from esclusa.connectors.function import FunctionSettings
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.protocol import Workshop
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument

QUESTION = Question("01890a5d-ac96-774b-bcce-b302099a8057", "expedientes", "12345678Z", {"office": "28"})


@pytest.fixture
def ours() -> Iterator[types.ModuleType]:
    module = sys.modules["our_bodies"] = types.ModuleType("our_bodies")
    yield module
    del sys.modules["our_bodies"]


@asynccontextmanager
async def made(function: str, **settings: Any) -> AsyncIterator[Connector]:
    clock = Clock()
    said = FunctionSettings(function=function, **settings)
    backend = make_backend("ours", said, None, Workshop(clock, Ids(clock), 1000, Contexts()))
    one = Connector("ours", backend, said, clock, Ids(clock), Instrument())
    try:
        yield one
    finally:
        await one.close()


async def ask(one: Connector, seconds: float = 20.0) -> Answer:
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    one.offer(QUESTION, Clock().now() + seconds, answered.set_result)
    return await answered


async def looked_up(question: Question) -> Any:
    return {"who": question.subject, "where": question.params["office"]}


def blocking(question: Question) -> Any:
    return {"who": question.subject, "thread": threading.current_thread().name}


async def test_a_coroutine_answers(ours: types.ModuleType) -> None:
    vars(ours)["body"] = looked_up
    async with made("our_bodies:body") as one:
        assert (await ask(one)).data == b'{"who":"12345678Z","where":"28"}'


async def test_a_plain_function_answers_from_a_thread_of_its_own(ours: types.ModuleType) -> None:
    vars(ours)["body"] = blocking
    async with made("our_bodies:body", transform="thread") as one:
        assert (await ask(one)).data == b'"ours 1"'


@pytest.mark.parametrize("error", [SystemExit(1), KeyError("x"), asyncio.CancelledError()])
async def test_a_coroutine_that_ends_in_another_way_ends_its_call_alone(ours: types.ModuleType, error: BaseException) -> None:
    async def body(_: Question) -> Any:
        raise error

    vars(ours)["body"] = body
    async with made("our_bodies:body") as one:
        answer = await ask(one)
        assert (answer.reason, answer.data) == (Reason.BACKEND_ERROR, None)


def said(what: Any) -> Callable[[Question], Any]:
    def body(_: Question) -> Any:
        if isinstance(what, BaseException):
            raise what
        return what

    return body


@pytest.mark.parametrize(
    ("what", "reason", "data"),
    [
        (None, None, None),
        (Outcome(data=b"[1]"), None, b"[1]"),
        (Outcome(reason=Reason.BACKEND_ERROR, detail="Closed on Sundays"), Reason.BACKEND_ERROR, None),
        (TimeoutError(), Reason.BACKEND_TIMEOUT, None),
        (KeyError("12345678Z"), Reason.BACKEND_ERROR, None),
        (SystemExit(1), Reason.BACKEND_ERROR, None),
        (object(), Reason.BACKEND_ERROR, None),
        ("x" * 2000, Reason.BACKEND_ERROR, None),
        (msgspec.Raw(b'{"name": "An'), Reason.BACKEND_ERROR, None),
        ({"a": msgspec.Raw(b'"\xff"')}, Reason.BACKEND_ERROR, None),
        (Outcome(data=b'{"name": "An'), Reason.BACKEND_ERROR, None),
        (Outcome(data=b'"\xff"'), Reason.BACKEND_ERROR, None),
        (Outcome(data=b'"%b"' % (b"x" * 2000)), Reason.BACKEND_ERROR, None),
        (Outcome(data="text"), Reason.BACKEND_ERROR, None),  # type: ignore[arg-type]  # what somebody may write
        (Outcome(detail=7), Reason.BACKEND_ERROR, None),  # type: ignore[arg-type]  # so
    ],
)
async def test_whatever_it_does_it_is_an_answer_that_says_nothing_of_the_subject(
    ours: types.ModuleType, what: Any, reason: Reason | None, data: bytes | None
) -> None:
    vars(ours)["body"] = said(what)
    async with made("our_bodies:body") as one:
        answer = await ask(one)
        assert (answer.reason, answer.data) == (reason, data)
        assert "12345678Z" not in answer.detail
        vars(ours)["body"] = said({})


async def test_one_that_hangs_is_given_up_in_time_and_keeps_nobody_from_ending(ours: types.ModuleType) -> None:
    gate = threading.Event()
    vars(ours)["body"] = lambda _: gate.wait(20)
    async with made("our_bodies:body", timeout=Duration(0.05)) as one:
        assert (await ask(one)).reason is Reason.BACKEND_TIMEOUT
    gate.set()


def test_what_is_wrong_is_named_with_its_key() -> None:
    found = dict(faults("ours", FunctionSettings(function="no_such_module:body", credentials="a")))
    assert list(found) == [("connectors", "ours", "function"), ("connectors", "ours", "credentials")]
    assert dict(faults("ours", FunctionSettings(function="our body")))[("connectors", "ours", "function")] == (
        "this is no package.module:function"
    )

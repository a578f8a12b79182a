"""A REST connector, whole, against everything that a back end can do to it."""

from __future__ import annotations

import asyncio
import tracemalloc

import pytest

from esclusa.connectors.answer import Answer
from esclusa.connectors.assembly import make_backend
from esclusa.connectors.backend import Question, Reason
from esclusa.connectors.connector import Connector
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.http.settings import TlsSettings
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.settings import BreakerSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument
from esclusa.testing.hostile import MISBEHAVIOURS, Hostile, hostile
from esclusa.testing.hostile.misbehaviours import bomb
from unit.connectors.transport.scripted import descriptors, until

TIMEOUT = 0.4
MOST = 4 * 1024 * 1024
"""Bytes that a call may take at most; the bomb is four times that."""
REASONS = {"answer": None, "error": Reason.BACKEND_ERROR, "timeout": Reason.BACKEND_TIMEOUT}
NAMES = [name for name, one in MISBEHAVIOURS.items() if one.wire in ("http", "tls")]
STAYS = ("unresolvable", "slow_name")
"""What a name leads to is not healed."""


def connector(back: Hostile) -> Connector:
    settings = RestSettings(
        url=f"{back.url}/people/{{subject}}",
        timeout=Duration(TIMEOUT),
        tls=TlsSettings(ca=back.ca),
        breaker=BreakerSettings(failures=1000),
    )
    clock = Clock()
    ids = Ids(clock)
    backend = make_backend("dgt", settings, None, Workshop(clock, ids, 1000, Contexts()))
    return Connector("dgt", backend, settings, clock, ids, Instrument())


async def ask(one: Connector) -> Answer:
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    question = Question("01890a5d-ac96-774b-bcce-b302099a8057", "expedientes", "12345678Z", {})
    one.offer(question, Clock().now() + 20, answered.set_result)
    async with asyncio.timeout(10):
        return await answered


@pytest.mark.parametrize("name", NAMES)
async def test_a_call_ends_by_its_time_with_the_right_reason_leaks_nothing_and_the_next_call_works(name: str) -> None:
    bomb()
    async with hostile("surplus") as back:
        await connector(back).close()  # what the loop opens once and keeps is open now
    tasks, files = len(asyncio.all_tasks()), descriptors()
    async with hostile(name) as back:
        one = connector(back)
        tracemalloc.start()
        try:
            said = await ask(one)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert said.reason is REASONS[MISBEHAVIOURS[name].ending], said.detail
        assert b"smuggled" not in (said.data or b"")
        assert said.elapsed < 1000 * TIMEOUT + 1500
        assert peak < MOST
        back.heal()
        if name not in STAYS:
            for _ in range(2):
                again = await ask(one)
                assert (again.reason, again.data) == (None, b'{"good":true}'), again.detail
        await one.close()
        async with asyncio.timeout(10):
            await until(lambda: back.open == 0)
    async with asyncio.timeout(5):
        await until(lambda: len(asyncio.all_tasks()) <= tasks and descriptors() <= files)


async def test_a_reset_at_any_byte_is_an_error_and_no_answer() -> None:
    async with hostile("reset") as back:
        one = connector(back)
        for _ in range(60):
            said = await ask(one)
            assert (said.reason, said.data) == (Reason.BACKEND_ERROR, None)
        back.heal()
        assert (await ask(one)).reason is None
        await one.close()


async def test_a_smuggled_answer_is_never_taken_for_another_call_s() -> None:
    async with hostile("surplus") as back:
        one = connector(back)
        for _ in range(20):
            assert (await ask(one)).data == b'{"good":true}'
        await one.close()

"""A connector before a back end that misbehaves: a call ends by its time with the right reason, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from esclusa.connectors.answer import Answer
from esclusa.connectors.assembly import make_backend
from esclusa.connectors.backend import Question, Reason
from esclusa.connectors.connector import Connector
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.settings import BreakerSettings, ConnectorSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument
from esclusa.testing.hostile import MISBEHAVIOURS, Hostile, Script, hostile
from esclusa.testing.hostile.misbehaviours import Ending, bomb
from unit.connectors.transport.calling import descriptors, turns, until

LONG = 30.0
"""Seconds: how long a call may take that is to end before; so that a slow machine changes nothing."""
SHORT = 0.4
"""Seconds: how long a call may take that is to end by its time."""
PATIENT: dict[str, Any] = {"timeout": Duration(LONG), "breaker": BreakerSettings(failures=1000)}
"""Settings of a connector for which only the time of each call counts."""
MOST = 4 * 1024 * 1024
"""Bytes that a call may take at most; the bomb is four times that."""
MOST_ANSWER = 1000
"""Bytes of an answer."""
REASONS = {"answer": None, "error": Reason.BACKEND_ERROR, "timeout": Reason.BACKEND_TIMEOUT}
QUESTION = Question("01890a5d-ac96-774b-bcce-b302099a8057", "expedientes", "12345678Z", {})

Make = Callable[[Hostile], ConnectorSettings]
"""The settings of a connector to that back end."""


def connector(settings: ConnectorSettings) -> Connector:
    """One that shares nothing with others."""
    clock = Clock()
    ids = Ids(clock)
    backend = make_backend("dgt", settings, None, Workshop(clock, ids, MOST_ANSWER, Contexts()))
    return Connector("dgt", backend, settings, clock, ids, Instrument())


async def ask(one: Connector, *, seconds: float = LONG) -> Answer:
    """Its answer to a question, which has to be there within so many `seconds`."""
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    one.offer(QUESTION, Clock().now() + seconds, answered.set_result)
    return await answered


async def ordeal(misbehaviour: str, make: Make, good: bytes, *, ending: Ending | None = None, **served: Any) -> Answer:
    """What the connector answers under `misbehaviour`, and has held when this returns.

    `good`: its data when the back end is well; `served`: how that is `hostile`'s. `ending`: how a call has to end, where
    that is not as `MISBEHAVIOURS` says.
    """
    ending = ending or MISBEHAVIOURS[misbehaviour].ending
    tasks, files = await at_rest(make, **served)
    async with hostile(misbehaviour, **served) as back:
        one = connector(make(back))
        bomb()
        tracemalloc.start()
        try:
            said = await ask(one, seconds=SHORT if ending == "timeout" else LONG)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert said.reason is REASONS[ending], said.detail
        assert said.data in (None, good)
        assert said.elapsed < 1000 * LONG / 2
        assert peak < MOST
        back.heal()
        for _ in range(2):
            again = await ask(one)
            assert (again.reason, again.data) == (None, good), again.detail
        await one.close()
        await until(lambda: back.open == 0)
    await until(lambda: len(asyncio.all_tasks()) <= tasks and descriptors() <= files)
    return said


async def at_rest(make: Make, **served: Any) -> tuple[int, int]:
    """Tasks and descriptors of this process, once what the loop opens at the first call, and keeps, is open."""
    async with hostile("closed_between", **served) as back:
        one = connector(make(back))
        await ask(one)
        await one.close()
        await until(lambda: back.open == 0)
    return len(asyncio.all_tasks()), descriptors()


async def cut_everywhere(script: Script, most: int, make: Make, good: bytes, **served: Any) -> list[Answer]:
    """What the connector answers on each of `most` connections to `script`, which cuts a byte later on each.

    Each has been an error or the whole good answer, and the last one that.
    """
    async with hostile(script, **served) as back:
        one = connector(make(back))
        said = []
        while back.accepted < most:
            said.append(await ask(one))
            assert (said[-1].reason, said[-1].data) in ((Reason.BACKEND_ERROR, None), (None, good)), said[-1].detail
        back.heal()
        again = await ask(one)
        assert (again.reason, again.data) == (None, good)
        await one.close()
        await until(lambda: back.open == 0)
        return said


async def piles_up(names: Iterable[str], make: Make, **served: Any) -> Counter[str]:
    """How many objects of which of this project's types are more after many calls under each of `names` than after a few."""

    async def rounds(count: int) -> Counter[str]:
        for name in names:
            async with hostile(name, **served) as back:
                one = connector(make(back))
                await asyncio.gather(*(ask(one, seconds=SHORT) for _ in range(count)))
                await one.close()
        await turns()
        gc.collect()
        types = [type(thing) for thing in gc.get_objects()]
        return Counter(each.__qualname__ for each in types if str(each.__module__).startswith("esclusa."))

    before = await rounds(2)
    return await rounds(10) - before

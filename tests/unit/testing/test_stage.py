"""A stage: nothing happens to the shared storage before the test says so, and what is lost may land at any time."""

from __future__ import annotations

import asyncio

import pytest

from esclusa.engines.memory import MemoryEngine
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import StorageUnavailable
from esclusa.ports.log import Topic
from esclusa.ports.records import Row
from esclusa.testing.stage import Stage
from esclusa.testing.virtual import EPOCH, settle

pytestmark = pytest.mark.virtual_time

KEY = b"key"
TOPIC = Topic("topic", partitions=1)


class Scene:
    """Two processes, `a` and `b`, on one storage."""

    def __init__(self) -> None:
        self.clock = Clock(epoch=EPOCH)
        self.engine = MemoryEngine(self.clock)
        self.stage = Stage()
        self.a = self.stage.records("a", self.engine.records)
        self.b = self.stage.records("b", self.engine.records)

    def row(self, name: str, body: bytes = b"") -> Row:
        return Row(name, b"", body, self.clock.millis() + 60_000)

    async def stored(self) -> list[str]:
        return [row.name for row in await self.engine.records.read(KEY)]


async def test_nothing_happens_before_it_is_told_to() -> None:
    scene = Scene()
    put = scene.a.put(KEY, [scene.row("one"), scene.row("two")])
    await scene.clock.sleep(1000)
    assert not put.done()
    assert await scene.stored() == []
    assert [str(step) for step in scene.stage.waiting] == ["a: put one two"]


async def test_steps_are_taken_in_the_order_that_the_test_chooses() -> None:
    scene = Scene()
    first = scene.a.add(KEY, scene.row("seal", b"a"))
    second = scene.b.add(KEY, scene.row("seal", b"b"))
    await scene.stage.step("b").take()
    await scene.stage.step("a").take()
    assert [(await adding).body for adding in (first, second)] == [b"b", b"b"]
    assert scene.stage.waiting == []


async def test_a_read_is_of_the_moment_at_which_it_is_taken() -> None:
    scene = Scene()
    early, late = scene.a.read(KEY), scene.a.read(KEY)
    await scene.stage.step("a").take()
    put = scene.b.put(KEY, [scene.row("one")])
    await scene.stage.step("b", "put").take()
    await scene.stage.step("a", "read").take()
    await put
    assert (await early, [row.name for row in await late]) == ([], ["one"])


async def test_what_timed_out_may_land_later_and_nobody_is_told_again() -> None:
    scene = Scene()
    put = scene.a.put(KEY, [scene.row("one")])
    step = scene.stage.step("a")
    await step.time_out()
    with pytest.raises(StorageUnavailable):
        await put
    assert await scene.stored() == []
    await scene.clock.sleep(30)
    await step.take()
    assert await scene.stored() == ["one"]


async def test_what_has_happened_can_time_out_no_more() -> None:
    scene = Scene()
    forget = scene.a.forget(KEY, scene.clock.millis() + 1000)
    step = scene.stage.step("a", "forget")
    await step.take()
    await step.time_out()
    await forget


async def test_an_error_of_the_storage_is_the_processs() -> None:
    scene = Scene()
    await scene.engine.records.close()
    read = scene.a.read(KEY)
    await scene.stage.step("a").take()
    with pytest.raises(Exception, match="closed"):
        await read


async def test_a_step_that_nobody_asked_for_is_told() -> None:
    scene = Scene()
    scene.a.read(KEY)
    with pytest.raises(AssertionError, match="no step of b"):
        scene.stage.step("b")
    with pytest.raises(AssertionError, match="no step of a put"):
        scene.stage.step("a", "put")


async def test_of_a_log_appends_and_ends_are_staged_and_the_rest_happens_at_once() -> None:
    scene = Scene()
    await scene.engine.upkeep.setup([TOPIC])
    log = scene.stage.log("a", scene.engine.log)
    append, end = log.append(TOPIC, KEY, b"value"), asyncio.ensure_future(log.end(TOPIC, 0))
    await settle()
    assert [str(step) for step in scene.stage.waiting] == ["a: append topic", "a: end topic"]
    await scene.stage.step("a", "end").take()
    await scene.stage.step("a", "append").take()
    assert (await end, await append) == (0, 0)
    batches = [batch async for batch in log.read(TOPIC, 0, 0, 1)]
    assert [message.value for batch in batches for message in batch] == [b"value"]
    subscription = await log.subscribe(TOPIC, "group")
    await subscription.close()


async def test_who_closes_closes_it_for_nobody_else() -> None:
    scene = Scene()
    await scene.a.close()
    await scene.stage.log("a", scene.engine.log).close()
    await scene.engine.upkeep.setup([TOPIC])
    assert (await scene.stored(), await scene.engine.log.end(TOPIC, 0)) == ([], 0)

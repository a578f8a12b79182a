"""A connector whose settings change while it is asked (H40)."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from esclusa.connectors.backend import Reason
from esclusa.kernel.duration import Duration
from esclusa.testing.backends import ERROR, ScriptedBackend, answers, waits
from esclusa.testing.virtual import settle
from unit.connectors.scene import Scene

pytestmark = pytest.mark.virtual_time


class Change:
    """A change of a scene's connector, to another back end."""

    def __init__(self, scene: Scene, **settings: object) -> None:
        self.backend = ScriptedBackend(scene.clock, answers(after=0.1))
        changed = msgspec.structs.replace(scene.connector._settings, **settings)
        self.over = asyncio.ensure_future(scene.connector.change(changed, self.backend))


async def test_what_is_in_flight_ends_as_it_began_and_the_next_is_asked_elsewhere() -> None:
    scene = Scene(waits)
    scene.offer("a")
    await settle()
    change = Change(scene, timeout=Duration(1))
    scene.offer("b")
    await asyncio.sleep(5)
    assert scene.reason("b") is None
    assert [attempt.question.request for attempt in change.backend.attempts] == ["b"]
    assert "a" not in scene.answers, "its own timeout is ten seconds"
    assert not scene.backend.closed
    scene.backend.attempts[0].answer()
    await settle()
    assert scene.reason("a") is None
    assert change.over.done()
    assert scene.backend.closed


async def test_what_waits_goes_by_the_new_settings() -> None:
    scene = Scene(waits, concurrency=1)
    scene.offer("a")
    scene.offer("b")
    change = Change(scene, concurrency=2)
    await asyncio.sleep(1)
    assert scene.reason("b") is None
    assert len(change.backend.attempts) == 1


async def test_the_limit_counts_what_is_in_flight_by_the_old_settings() -> None:
    scene = Scene(waits, concurrency=2)
    for name in "abc":
        scene.offer(name)
    change = Change(scene, concurrency=1)
    await asyncio.sleep(1)
    assert change.backend.attempts == []
    scene.backend.attempts[0].answer()
    await asyncio.sleep(1)
    assert change.backend.attempts == [], "one of the old ones still is in flight"
    scene.backend.attempts[1].answer()
    await asyncio.sleep(1)
    assert scene.reason("c") is None


async def test_a_call_that_rests_is_tried_again_by_the_new_settings() -> None:
    scene = Scene(answers(ERROR), attempts=3, first=5)
    scene.offer("a")
    await asyncio.sleep(0.01)
    change = Change(scene)
    await settle()
    assert change.over.done(), "nobody speaks to the old one any more"
    await asyncio.sleep(10)
    assert scene.reason("a") is None
    assert (len(scene.backend.attempts), len(change.backend.attempts)) == (1, 1)


@pytest.mark.parametrize(
    ("settings", "state"),
    [({"timeout": Duration(1)}, "open"), ({"url": "http://new.example/"}, "closed"), ({"mock": True}, "closed")],
)
async def test_the_breaker_forgets_only_when_the_back_end_is_another(settings: dict[str, object], state: str) -> None:
    scene = Scene(answers(ERROR), failures=1)
    scene.offer("a")
    await asyncio.sleep(0.1)
    assert scene.state() == "open"
    Change(scene, **settings)
    assert scene.state() == state


async def test_what_the_former_address_still_says_is_nothing_to_the_breaker() -> None:
    scene = Scene(waits, failures=1)
    scene.offer("a")
    Change(scene, url="http://new.example/")
    scene.backend.attempts[0].answer(ERROR)
    await settle()
    assert scene.reason("a") is Reason.BACKEND_ERROR
    assert scene.state() == "closed"


async def test_who_is_to_finish_answers_all_that_it_holds_and_then_lets_go() -> None:
    scene = Scene(waits, concurrency=1)
    for name in "ab":
        scene.offer(name)
    finishing = asyncio.ensure_future(scene.connector.finish())
    await settle()
    assert not finishing.done()
    scene.backend.attempts[0].answer()
    await settle()
    assert not finishing.done()
    scene.backend.attempts[1].answer()
    await settle()
    assert finishing.done()
    assert scene.backend.closed
    assert scene.answers.keys() == {"a", "b"}
    assert list(scene.instrument.gauges["esclusa_connector_running"].read()) == []


async def test_who_holds_nothing_finishes_at_once() -> None:
    scene = Scene()
    async with asyncio.timeout(0.1):
        await scene.connector.finish()
    assert scene.backend.closed


async def test_a_close_lets_go_of_the_former_back_end_too() -> None:
    scene = Scene(waits)
    scene.offer("a")
    change = Change(scene)
    await settle()
    await scene.connector.close()
    await settle()
    assert (scene.backend.closed, change.backend.closed, change.over.done()) == (True, True, True)


async def test_changes_may_follow_one_another() -> None:
    scene = Scene(waits)
    scene.offer("a")
    first = Change(scene)
    first.backend.step = waits
    scene.offer("b")
    second = Change(scene)
    scene.offer("c")
    await asyncio.sleep(1)
    assert not first.over.done()
    assert not second.over.done()
    first.backend.attempts[0].answer()
    await settle()
    assert (first.over.done(), second.over.done()) == (False, True)
    scene.backend.attempts[0].answer()
    await settle()
    assert first.over.done()
    await asyncio.sleep(1)
    assert scene.answers.keys() == {"a", "b", "c"}

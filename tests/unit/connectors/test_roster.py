"""The connectors of a process, which come and go while it runs (H40)."""

from __future__ import annotations

import asyncio

import pytest

from esclusa.connectors.answer import Answer
from esclusa.connectors.backend import Question
from esclusa.connectors.connector import Connector
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.roster import Roster
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument
from esclusa.testing.backends import ScriptedBackend, waits
from esclusa.testing.virtual import settle

pytestmark = pytest.mark.virtual_time

SETTINGS = RestSettings(url="http://x.example/")


class Cast:
    """Connectors, their back ends, and what was answered."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.instrument = Instrument()
        self.backends: dict[str, ScriptedBackend] = {}
        self.answers: dict[str, Answer] = {}

    def connector(self, name: str) -> Connector:
        self.backends[name] = ScriptedBackend(self.clock, waits)
        return Connector(name, self.backends[name], SETTINGS, self.clock, Ids(self.clock), self.instrument)

    def ask(self, connector: Connector) -> None:
        def answered(answer: Answer) -> None:
            self.answers[connector.name] = answer

        connector.offer(Question("r", "q", "12345678Z", {}), self.clock.now() + 60, answered)


async def test_each_pool_has_its_own_and_all_are_known() -> None:
    cast = Cast()
    roster = Roster({"default": {"a": cast.connector("a")}, "slow": {"b": cast.connector("b")}})
    assert (list(roster.of("slow")), sorted(roster.all), "default" in roster, "fast" in roster) == (
        ["b"],
        ["a", "b"],
        True,
        False,
    )
    await roster.stop()
    assert all(backend.closed for backend in cast.backends.values())


async def test_one_that_is_added_is_there_for_whoever_looks_already() -> None:
    cast = Cast()
    roster = Roster({"default": {}})
    mine, everyone = roster.of("default"), roster.all
    roster.add("default", cast.connector("a"))
    assert (list(mine), list(everyone)) == (["a"], ["a"])
    await roster.stop()


async def test_one_that_is_removed_finishes_what_it_holds() -> None:
    cast = Cast()
    roster = Roster({"default": {"a": cast.connector("a")}})
    cast.ask(roster.all["a"])
    roster.remove("a")
    await settle()
    assert list(roster.all) == []
    assert cast.backends["a"].closed == 0
    cast.backends["a"].attempts[0].answer()
    await settle()
    assert cast.answers["a"].reason is None
    assert cast.backends["a"].closed == 1
    await roster.stop()


async def test_one_that_comes_back_before_it_has_finished_is_the_same_one() -> None:
    cast = Cast()
    roster = Roster({"default": {"a": cast.connector("a")}, "slow": {}})
    connector = roster.all["a"]
    cast.ask(connector)
    roster.remove("a")
    await settle()
    assert roster.restore("slow", "a")
    assert roster.of("slow")["a"] is connector
    await settle()
    cast.backends["a"].attempts[0].answer()
    await settle()
    assert cast.answers["a"].reason is None
    assert cast.backends["a"].closed == 0
    roster.remove("a")
    await settle()
    assert cast.backends["a"].closed == 1
    assert not roster.restore("slow", "a"), "it has finished"
    await roster.stop()


async def test_one_that_takes_its_time_to_end_does_not_hide_the_one_after_it() -> None:
    cast = Cast()
    roster = Roster({"default": {"a": cast.connector("a")}})
    until = asyncio.Event()

    async def close() -> None:
        await until.wait()

    cast.backends["a"].close = close
    roster.remove("a")
    await settle()
    assert not roster.restore("default", "a"), "it is closed already"
    second = cast.connector("a")
    roster.add("default", second)
    cast.ask(second)
    roster.remove("a")
    until.set()
    await settle()
    assert roster.restore("default", "a"), "it still holds a question"
    assert roster.all["a"] is second
    await roster.stop()
    assert second.closed


async def test_one_that_changes_keeps_what_it_holds() -> None:
    cast = Cast()
    roster = Roster({"default": {"a": cast.connector("a")}})
    cast.ask(roster.all["a"])
    other = ScriptedBackend(cast.clock)
    roster.change("a", SETTINGS, other)
    await asyncio.sleep(1)
    cast.backends["a"].attempts[0].answer()
    await settle()
    assert cast.answers["a"].reason is None
    assert (cast.backends["a"].closed, other.closed) == (True, False)
    await roster.stop()
    assert other.closed


async def test_a_process_that_ends_waits_for_nobody() -> None:
    cast = Cast()
    roster = Roster({"default": {"a": cast.connector("a"), "b": cast.connector("b")}})
    for connector in roster.all.values():
        cast.ask(connector)
    roster.remove("a")
    other = ScriptedBackend(cast.clock)
    roster.change("b", SETTINGS, other)
    await roster.stop()
    assert all(backend.closed for backend in (*cast.backends.values(), other))
    assert not roster.background._tasks

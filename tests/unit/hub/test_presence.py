"""Each process says that it lives and how its connectors are; who says nothing is soon forgotten (H40)."""

from __future__ import annotations

import pytest

from esclusa.testing.backends import ERROR, answers, waits
from support.hub import configuration, question, running

pytestmark = pytest.mark.virtual_time


async def test_every_process_is_seen_with_its_roles_pools_and_configuration() -> None:
    async with running() as one, running(one.settings, engine=one.engine, roles=("connectors",)):
        first, second = sorted(await one.hub.processes(), key=lambda report: -len(report.roles))
        assert first.roles == ["hub", "collector", "connectors", "purge"]
        assert second.roles == ["connectors"]
        assert first.configuration == second.configuration
        assert first.pools == ["default"]
        assert first.version == "0.1.0"


async def test_another_configuration_is_seen_as_such() -> None:
    async with running() as one, running(configuration(["a"]), engine=one.engine):
        assert len({process.configuration for process in await one.hub.processes()}) == 2


async def test_the_health_of_a_connector_is_that_of_all_processes_together() -> None:
    async with running(configuration(["a", "b"])) as one:
        one.backends["a"].step = answers(ERROR)
        one.backends["b"].step = waits
        for _ in range(5):
            await one.hub.submit(question())
            await one.runtime.clock.sleep(0.1)
        await one.runtime.clock.sleep(5)
        a, b = await one.hub.connectors()
        assert (a.name, a.breaker, a.running, a.processes) == ("a", "open", 0, 1)
        assert (b.breaker, b.running) == ("closed", 5)


async def test_what_this_process_says_of_itself_is_of_now() -> None:
    async with running(configuration(["a"])) as one:
        one.backends["a"].step = waits
        await one.hub.submit(question())
        await one.runtime.clock.sleep(0.1)
        assert [connector.running for connector in await one.hub.connectors()] == [1]


async def test_who_ends_in_order_is_forgotten_at_once() -> None:
    async with running() as one:
        async with running(one.settings, engine=one.engine, roles=("connectors",)):
            assert len(await one.hub.processes()) == 2
        await one.runtime.clock.sleep(0.1)
        assert len(await one.hub.processes()) == 1


async def test_who_says_nothing_more_is_forgotten() -> None:
    async with running() as one:
        async with running(one.settings, engine=one.engine, roles=("connectors",)) as other:
            await other.kill()
        assert len(await one.hub.processes()) == 2
        await one.runtime.clock.sleep(16)
        assert len(await one.hub.processes()) == 1
        assert {connector.processes for connector in await one.hub.connectors()} == {1}

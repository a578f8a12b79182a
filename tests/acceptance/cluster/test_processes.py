"""The processes of an installation are seen, with what they serve; what nobody serves is said (H4, H40)."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from esclusa.hub.presence import EVERY, LIVES_MS
from support.asking import PATIENCE, ask, final
from support.country import Country
from support.installation import Engines, installed
from support.poll import until

pytestmark = [pytest.mark.real, pytest.mark.timeout(90)]

POOLS = "[pools.south]\n[pools.nobodys]\n"
HUB, SOUTH, OLD = ("hub", "collector"), ("connectors", "south"), ("connectors", "default", "south")
"""Three processes, by their roles and pools."""


async def seen(client: httpx.AsyncClient) -> dict[tuple[str, ...], str]:
    """Which configuration each process has."""
    answer = await client.get("/api/v1/processes")
    assert answer.status_code == httpx.codes.OK, answer.text
    return {(*each["roles"], *sorted(each["pools"])): each["configuration"] for each in answer.json()["processes"]}


async def served(client: httpx.AsyncClient) -> dict[str, int]:
    """How many processes serve each connector."""
    answer = await client.get("/api/v1/connectors")
    assert answer.status_code == httpx.codes.OK, answer.text
    return {each["name"]: each["processes"] for each in answer.json()["connectors"]}


async def test_who_is_there_is_seen_and_what_nobody_serves_is_said(engines: Engines, tmp_path: Path) -> None:
    country = Country(["a", "b", "new", "nobodys"], slowest=0)
    async with installed(engines, tmp_path, country, query='ttl = "8s"', more=POOLS) as it:
        before = country.connectors("a") + country.connectors("b", pool="south")
        it.connectors = before + country.connectors("new") + country.connectors("nobodys", pool="nobodys")
        hub = it.program("hub", "hub", "collector")
        south = it.program("south", "connectors", pools=["south"])
        old = it.program("old", "connectors", pools=["default", "south"], connectors=before)
        await it.start(hub, south, old)
        async with hub.client(PATIENCE) as client:
            configurations = await seen(client)
            assert configurations.keys() == {HUB, SOUTH, OLD}
            assert configurations[SOUTH] == configurations[HUB]
            assert configurations[OLD] != configurations[SOUTH], "it knows fewer connectors"
            assert await served(client) == {"a": 1, "b": 2, "new": 0, "nobodys": 0}

            await south.kill()
            said = await final(client, await ask(client, connectors=["a", "new", "nobodys"]))
            assert {each["connector"]: (each["state"], each.get("reason"), each.get("detail")) for each in said["answers"]} == {
                "a": ("ok", None, None),
                "new": ("ko", "rejected", "Not served here"),
                "nobodys": ("ko", "no_answer", "No answer before the deadline"),
            }
            assert "connector not served here" in old.log()

            async def gone(*processes: tuple[str, ...]) -> bool:
                return (await seen(client)).keys().isdisjoint(processes)

            assert await old.terminate() == 0
            await until(lambda: gone(OLD), seconds=3)
            await until(lambda: gone(OLD, SOUTH), seconds=LIVES_MS / 1000 + EVERY)
            assert await served(client) == {"a": 0, "b": 0, "new": 0, "nobodys": 0}

"""What may be asked, of whom, and how they are: for any client, for nobody else."""

from __future__ import annotations

import pytest

from esclusa.kernel.errors import Unavailable
from support.api import READER_KEY, faked
from support.fake_hub import CONNECTORS


@pytest.mark.parametrize("path", ["queries", "connectors", "processes", "pools"])
async def test_any_client_may_look(path: str) -> None:
    async with faked() as (_, edge):
        answer = await edge.client.get(f"/api/v1/{path}", headers={"authorization": f"Bearer {READER_KEY}"})
        assert answer.status_code == 200
        assert set(answer.json()) == {path}


@pytest.mark.parametrize("path", ["queries", "connectors", "processes", "pools"])
async def test_nobody_else_may(path: str) -> None:
    async with faked() as (_, edge):
        answer = await edge.client.get(f"/api/v1/{path}", headers={"authorization": "Bearer nobody"})
        assert answer.status_code == 401


async def test_the_connectors_are_those_of_the_hub() -> None:
    async with faked() as (_, edge):
        answer = await edge.client.get("/api/v1/connectors")
        assert [each["name"] for each in answer.json()["connectors"]] == CONNECTORS


@pytest.mark.parametrize("path", ["connectors", "processes", "pools"])
async def test_without_storage_nobody_knows(path: str) -> None:
    async with faked() as (hub, edge):
        hub.raises = Unavailable()
        assert (await edge.client.get(f"/api/v1/{path}")).status_code == 503

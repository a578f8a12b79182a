"""For balancers and monitors (H41): health and metrics, with no key."""

from __future__ import annotations

import httpx
import pytest

from esclusa.edges.http.health import Phase
from esclusa.edges.http.settings import ServerSettings
from esclusa.kernel.errors import StorageUnavailable
from support.api import faked


async def full() -> None:
    """A check that finds the disk full."""
    raise StorageUnavailable("The disk is full")


async def get(url: str) -> httpx.Response:
    async with httpx.AsyncClient() as nobody:
        return await nobody.get(url)


async def test_whoever_can_answer_lives() -> None:
    async with faked() as (_, edge):
        await edge.health.drain()
        answer = await get(f"{edge.client.base_url}/health/live")
        assert (answer.status_code, answer.json()) == (200, {"status": "live"})


async def test_ready_until_it_drains() -> None:
    async with faked() as (_, edge):
        url = f"{edge.client.base_url}/health/ready"
        answer = await get(url)
        assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
        await edge.health.drain()
        answer = await get(url)
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/unavailable")
        assert "draining" in answer.json()["detail"]


async def test_who_waits_to_start_says_why_to_the_administrator() -> None:
    async with faked(ServerSettings(admin="127.0.0.1:0")) as (_, edge):
        edge.health.phase = Phase.STARTING
        edge.health.wait("nobody is there")
        assert edge.server.admin is not None
        public, admin = [await get(f"{url}/health/ready") for url in (edge.client.base_url, edge.server.admin.url)]
        assert (public.status_code, public.json()["detail"]) == (503, "This process is starting")
        assert (admin.status_code, admin.json()["detail"]) == (503, "This process is starting: nobody is there")
        assert (await get(f"{edge.client.base_url}/health/live")).status_code == 200


async def test_a_lost_dependency_is_told_and_no_reason_to_go_away() -> None:
    async with faked(checks={"sqlite": full}) as (_, edge):
        await edge.health.look()
        answer = await get(f"{edge.client.base_url}/health/ready")
        assert answer.status_code == 200
        assert answer.json()["status"] == "degraded"
        (lost,) = answer.json()["lost"]
        assert (lost["part"], lost["reason"]) == ("sqlite", "The disk is full")
        assert lost["since"].endswith("Z")


async def test_metrics() -> None:
    async with faked() as (_, edge):
        await edge.ask()
        answer = await get(f"{edge.client.base_url}/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert 'esclusa_http_requests_total{method="POST",route="/api/v1/requests",status="202"} 1.0' in answer.text


async def test_reasons_and_metrics_are_the_administrators_where_there_is_one() -> None:
    async with faked(ServerSettings(admin="127.0.0.1:0"), checks={"sqlite": full}) as (_, edge):
        await edge.health.look()
        public = str(edge.client.base_url)
        assert edge.server.admin is not None
        admin = edge.server.admin.url
        assert (await get(f"{public}/health/ready")).json() == {"status": "degraded"}
        assert "lost" in (await get(f"{admin}/health/ready")).json()
        assert (await get(f"{public}/metrics")).status_code == 404
        assert (await get(f"{admin}/metrics")).status_code == 200
        assert (await get(f"{admin}/health/live")).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/requests", "/api/v1/queries", "/docs"])
async def test_the_administrators_address_serves_nothing_else(path: str) -> None:
    async with faked(ServerSettings(admin="127.0.0.1:0")) as (_, edge):
        assert edge.server.admin is not None
        assert (await get(f"{edge.server.admin.url}{path}")).status_code == 404

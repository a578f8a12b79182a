"""The API documents itself, with files of ours alone (P3)."""

from __future__ import annotations

import re

import pytest

from esclusa.edges.http.problems import PROBLEMS
from support.api import faked


async def test_the_document_is_openapi() -> None:
    async with faked() as (_, edge):
        answer = await edge.client.get("/openapi.json")
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["openapi"].startswith("3.1")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_who_opens_the_address_alone_is_led_to_the_page(method: str) -> None:
    async with faked() as (_, edge):
        answer = await edge.client.request(method, "/", headers={"authorization": ""})
        assert (answer.status_code, answer.headers["location"]) == (307, "/docs")
        assert "/" not in (await edge.client.get("/openapi.json")).json()["paths"]


async def test_the_page_needs_nobody_elses_server() -> None:
    async with faked() as (_, edge):
        page = await edge.client.get("/docs")
        assert page.headers["content-type"].startswith("text/html")
        loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        files = [url for url in loaded if url.startswith("/docs/")]
        assert len(files) == 3
        assert set(loaded) - set(files) == {"data:,", "/openapi.json"}
        for url in files:
            assert (await edge.client.get(url)).status_code == 200
        assert "http" not in (await edge.client.get("/docs/docs.js")).text


async def test_the_page_may_load_from_here_alone() -> None:
    async with faked() as (_, edge):
        policy = (await edge.client.get("/docs")).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "http" not in policy


@pytest.mark.parametrize("path", ["/docs/nothing.js", "/docs/..%2fpages.py", "/docs/vendored%2fLICENSE"])
async def test_no_other_file_is_served(path: str) -> None:
    async with faked() as (_, edge):
        assert (await edge.client.get(path)).status_code == 404


@pytest.mark.parametrize("name", PROBLEMS)
async def test_every_type_of_problem_is_described_at_its_own_address(name: str) -> None:
    async with faked() as (_, edge):
        answer = await edge.client.get(f"/problems/{name}")
        assert answer.json()["type"] == f"/problems/{name}"
        assert answer.json()["status"] == PROBLEMS[name].status


async def test_no_other_type_is() -> None:
    async with faked() as (_, edge):
        assert (await edge.client.get("/problems/nothing")).status_code == 404

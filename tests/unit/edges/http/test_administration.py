"""Taking the configuration anew: by the operator of the machine, by nobody else (H40)."""

from __future__ import annotations

import httpx

from esclusa.edges.http.reloaded import Reloaded
from esclusa.kernel.errors import ConfigurationError, Mistake
from support.api import Served, faked


async def taken() -> Reloaded:
    return Reloaded(configuration="0a1b", added=["connectors.new"], changed=[], removed=[])


async def refused() -> Reloaded:
    raise ConfigurationError([Mistake("esclusa.toml", 3, "unknown key"), Mistake("configuration", 0, "a restart")])


def by_the_socket(edge: Served) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(edge.server.socket))
    return httpx.AsyncClient(base_url="http://localhost", transport=transport)


async def test_the_operator_is_told_what_has_changed() -> None:
    async with faked(reload=taken) as (_, edge), by_the_socket(edge) as client:
        answer = await client.post("/api/v1/reload")
        assert answer.status_code == 200
        assert answer.json() == {"configuration": "0a1b", "added": ["connectors.new"], "changed": [], "removed": []}


async def test_what_cannot_be_taken_is_named_whole() -> None:
    async with faked(reload=refused) as (_, edge), by_the_socket(edge) as client:
        answer = await client.post("/api/v1/reload")
        assert answer.status_code == 422
        problem = answer.json()
        assert problem["type"] == "/problems/invalid-configuration"
        assert [error["message"] for error in problem["errors"]] == ["esclusa.toml:3: unknown key", "configuration: a restart"]


async def test_no_client_may_do_it_whatever_its_key() -> None:
    async with faked(reload=taken) as (_, edge):
        assert (await edge.client.post("/api/v1/reload")).status_code == 403
        assert (await edge.client.post("/api/v1/reload", headers={"authorization": ""})).status_code == 401


async def test_where_nobody_can_say_what_the_configuration_is_there_is_nothing() -> None:
    async with faked(reload=None) as (_, edge), by_the_socket(edge) as client:
        assert (await client.post("/api/v1/reload")).status_code == 404

"""OAuth 2.0 on an authorization server that we did not write: the package `oidc-provider` of npm (H12)."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from dev.npm import fetched, node

from esclusa import Answer, Reason, Submission, open_hub
from esclusa.hub.hub import Hub
from support.poll import until
from support.program import free_port

pytestmark = pytest.mark.real

CONFIGURATION = """
[esclusa]
engine = "memory"

[connectors.basic]
url = "http://127.0.0.1:{port}/people/{{subject}}"
credentials = "basic"

[connectors.again]
url = "http://127.0.0.1:{port}/people/{{subject}}"
credentials = "basic"

[connectors.form]
url = "http://127.0.0.1:{port}/people/{{subject}}"
credentials = "form"

[connectors.unknown]
url = "http://127.0.0.1:{port}/people/{{subject}}"
credentials = "unknown"

[connectors.beyond]
url = "http://127.0.0.1:{port}/people/{{subject}}"
credentials = "beyond"

[credentials]
basic = {{ kind = "oauth2", url = "http://127.0.0.1:{port}/token", clientId = "the hub", clientSecret = "{secret}", scope = "read" }}
form = {{ kind = "oauth2", url = "http://127.0.0.1:{port}/token", clientId = "form", clientSecret = "{secret}", scope = "read", shown = "form" }}
unknown = {{ kind = "oauth2", url = "http://127.0.0.1:{port}/token", clientId = "the hub", clientSecret = "guessed" }}
beyond = {{ kind = "oauth2", url = "http://127.0.0.1:{port}/token", clientId = "the hub", clientSecret = "{secret}", scope = "write" }}

[queries.people]
subject = "text"
ttl = "20s"
"""
SECRET = "s3cr:t & more"
LIFETIME = 2.0
"""Seconds for which a token is good, as `authority.mjs` has it."""


@asynccontextmanager
async def authority(folder: Path) -> AsyncIterator[int]:
    """The port of the servers of `authority.mjs`, with a hub's configuration in `folder`."""
    port = free_port()
    modules = await fetched("oidc-provider", "8.8.1")
    (folder / "esclusa.toml").write_text(CONFIGURATION.format(port=port, secret=SECRET), encoding="utf-8")
    script = Path(__file__).with_name("authority.mjs")
    process = await asyncio.create_subprocess_exec(node(), script, modules, str(port), stdout=PIPE, stderr=DEVNULL)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            while b"ready" not in (line := await process.stdout.readline()):
                assert line, "it has ended"
        yield port
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ask(hub: Hub, subject: str) -> dict[str, Answer]:
    receipt = await hub.submit(Submission(caller="test", query="people", subject=subject))
    last = await hub.wait(receipt.id, "test", seconds=20)
    while last.query_more:
        last = await hub.wait(receipt.id, "test", seconds=20, tag=last.tag)
    return {answer.connector: answer for answer in last.answers}


def said(answer: Answer) -> dict[str, Any]:
    assert answer.reason is None, answer.detail
    found = json.loads(answer.data or b"")
    assert isinstance(found, dict)
    return found


async def get(port: int, target: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {target} HTTP/1.0\r\n\r\n".encode())
    assert b" 200 " in await reader.readline()
    writer.close()


async def test_tokens_are_had_shared_renewed_and_shown_and_what_it_refuses_is_told(tmp_path: Path) -> None:
    async with authority(tmp_path) as port, open_hub(tmp_path / "esclusa.toml") as hub:
        first = await ask(hub, "one")
        assert said(first["basic"])["client"] == said(first["again"])["client"] == "the hub"
        assert said(first["form"])["client"] == "form"
        assert said(first["again"])["granted"] <= 2, "two connectors with the same credentials have one token"
        assert first["unknown"].detail == "There is no token to show it: its server answered with status 401 (invalid_client)"
        assert first["beyond"].reason is Reason.BACKEND_ERROR
        assert "invalid_scope" in first["beyond"].detail
        assert SECRET not in repr(first)

        async def renewed() -> bool:
            answers = await ask(hub, "again")
            assert {name for name, answer in answers.items() if answer.reason is None} == {"basic", "again", "form"}
            return int(said(answers["basic"])["granted"]) >= 4

        await until(renewed, seconds=10 * LIFETIME)

        await get(port, "/revoke")
        assert (await ask(hub, "revoked"))["basic"].detail == "It answered with status 401"
        await until(lambda: _all_well(hub), seconds=20)


async def _all_well(hub: Hub) -> bool:
    answers = await ask(hub, "later")
    return all(answers[name].reason is None for name in ("basic", "again", "form"))

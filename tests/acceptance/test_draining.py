"""A process that is told to end: it takes no more questions, and who waits for one still gets the answers that come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from esclusa.bootstrap import Application, Runtime, make_application
from esclusa.config.config import load
from esclusa.kernel.instrument import Instrument
from support.poll import until
from support.program import KEY, question

URL = "/api/v1/requests"
CONFIGURATION = """
[esclusa]
engine = "memory"
data = "{data}"
[server]
listen = "127.0.0.1:0"
[clients.tests]
key = "{key}"
permissions = ["ask-for-anyone"]
[hub]
drain = "{drain}"
[queries.q]
[connectors.quick]
url = "http://127.0.0.1:{quick}/"
timeout = "30s"
[connectors.slow]
pool = "south"
url = "http://127.0.0.1:{slow}/"
timeout = "30s"
[pools.default]
[pools.south]
"""


class Body:
    """A back end that answers when it is told to."""

    def __init__(self) -> None:
        self.called = asyncio.Event()
        self.answers = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one call."""
        await reader.readuntil(b"\r\n\r\n")
        self.called.set()
        await self.answers.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        writer.close()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        """It listens; on which port."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            self.answers.set()
            server.close()


@asynccontextmanager
async def running(folder: Path, *, drain: str) -> AsyncIterator[tuple[Application, httpx.AsyncClient, Body, Body]]:
    """A process of two pools, each with one body that has not answered yet."""
    quick, slow = Body(), Body()
    async with quick.open() as quick_port, slow.open() as slow_port:
        file = folder / "esclusa.toml"
        file.write_text(CONFIGURATION.format(data=folder / "data", key=KEY, drain=drain, quick=quick_port, slow=slow_port))
        application = make_application(load(file, {}), Runtime.real(Instrument()))
        async with application.lifecycle:
            assert application.server.address is not None
            headers = {"Authorization": f"Bearer {KEY}"}
            async with httpx.AsyncClient(base_url=application.server.address.url, headers=headers, timeout=40) as client:
                yield application, client, quick, slow


async def ask(client: httpx.AsyncClient, *bodies: Body) -> str:
    """The address of a question that every one of `bodies` is being asked."""
    answer = await client.post(URL, json=question())
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    for body in bodies:
        await body.called.wait()
    return answer.headers["location"]


async def final(client: httpx.AsyncClient, url: str) -> httpx.Response:
    """What a long poll gives that is held until everybody has answered, or the process lets it go."""
    answer = await client.get(url)
    tag = answer.headers["etag"]
    while answer.json()["pending"]:
        answer = await client.get(url, headers={"Prefer": "wait=30", "If-None-Match": tag})
        if answer.status_code == httpx.codes.NOT_MODIFIED or answer.headers["etag"] == tag:
            return answer
        tag = answer.headers["etag"]
    return answer


async def followed(client: httpx.AsyncClient, url: str) -> str:
    """All that a stream of events says until it ends."""
    async with client.stream("GET", f"{url}/events") as stream:
        return "".join([text async for text in stream.aiter_text()])


async def test_who_waits_gets_the_answers_that_come_while_the_process_drains(tmp_path: Path) -> None:
    async with running(tmp_path, drain="20s") as (application, client, quick, slow):
        url = await ask(client, quick, slow)
        polling, following = asyncio.create_task(final(client, url)), asyncio.create_task(followed(client, url))

        async def unready() -> bool:
            return (await client.get("/health/ready")).status_code == httpx.codes.SERVICE_UNAVAILABLE

        closing = asyncio.create_task(application.lifecycle.close())
        await until(unready)
        refused = await until(lambda: refusal(client))
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["type"] == "/problems/unavailable"
        assert not polling.done()
        quick.answers.set()
        await until(lambda: shown(client, url, 1))
        assert not closing.done()
        slow.answers.set()
        snapshot = (await polling).json()
        assert (snapshot["complete"], snapshot["pending"]) == (True, [])
        said = await following
        assert said.count("event: answer") == 2
        assert "event: done" in said
        await closing


async def refusal(client: httpx.AsyncClient) -> httpx.Response | None:
    """The answer to one more question, once it is a refusal."""
    answer = await client.post(URL, json=question("X1234567L"))
    return answer if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE else None


async def shown(client: httpx.AsyncClient, url: str, count: int) -> bool:
    """Whether so many answers can be read."""
    return len((await client.get(url)).json()["answers"]) == count


async def test_who_waits_for_what_outlasts_the_drain_is_let_go_with_what_there_is(tmp_path: Path) -> None:
    async with running(tmp_path, drain="500ms") as (application, client, quick, slow):
        url = await ask(client, quick, slow)
        quick.answers.set()
        await until(lambda: shown(client, url, 1))
        polling, following = asyncio.create_task(final(client, url)), asyncio.create_task(followed(client, url))
        await until(lambda: shown(client, url, 1))
        async with asyncio.timeout(10):
            await application.lifecycle.close()
            assert (await polling).status_code == httpx.codes.NOT_MODIFIED
            said = await following
        assert said.count("event: answer") == 1
        assert "event: done" not in said

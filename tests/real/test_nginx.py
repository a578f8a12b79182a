"""The main job on something that we did not write: nginx as the bodies, plain and over TLS (H10 to H13); and before hubs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from dev.nginx import before_hubs, nginx

from support.poll import until
from support.program import Program, free_port, question

pytestmark = pytest.mark.real

HTTP = """
    default_type application/json;
    gzip on;
    gzip_types application/json;
    gzip_min_length 1;
    keepalive_requests 3;
    log_format short "$uri $status";
    access_log {folder}/access.log short;
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{secure} ssl;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.key;
        root {folder}/www;
        location /slow/ {{ limit_rate 20; }}
        location /error/ {{ return 500; }}
        location /busy/ {{ add_header Retry-After 1 always; return 503; }}
        location /moved/ {{ return 302 /people/; }}
        location /hello/ {{ default_type text/html; return 200 "<h1>Hello</h1>"; }}
        location /post/ {{ return 200 '{{"method":"$request_method","type":"$content_type"}}'; }}
    }}
"""

CONNECTORS = """
[connectors.plain]
url = "http://127.0.0.1:{plain}/people/{{subject}}.json"
transform = "{{name: name, cars: length(cars)}}"
[connectors.marked]
url = "http://127.0.0.1:{plain}/people/{{subject}}.json"
revalidate = {{ keep = "1m" }}
[connectors.secure]
url = "https://localhost:{secure}/people/{{subject}}.json"
tls = {{ ca = "{folder}/ca.pem" }}
[connectors.stranger]
url = "https://localhost:{secure}/people/{{subject}}.json"
[connectors.nothing]
url = "http://127.0.0.1:{plain}/nobody/{{subject}}.json"
statuses = {{ 404 = "empty" }}
[connectors.unknown]
url = "http://127.0.0.1:{plain}/nobody/{{subject}}.json"
[connectors.slow]
url = "http://127.0.0.1:{plain}/slow/big.json"
timeout = "1s"
[connectors.error]
url = "http://127.0.0.1:{plain}/error/"
[connectors.busy]
url = "http://127.0.0.1:{plain}/busy/"
retry = {{ attempts = 2, first = "50ms" }}
[connectors.moved]
url = "http://127.0.0.1:{plain}/moved/"
[connectors.hello]
url = "http://127.0.0.1:{plain}/hello/"
[connectors.large]
url = "http://127.0.0.1:{plain}/large.json"
[connectors.post]
url = "http://127.0.0.1:{plain}/post/"
method = "POST"
body = {{ who = "{{subject}}" }}
"""


@asynccontextmanager
async def bodies(folder: Path) -> AsyncIterator[dict[str, Any]]:
    """Files from `folder`, served by nginx, plain and over TLS."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate = ca.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(str(folder / "server.key"))
    for place, part in enumerate(certificate.cert_chain_pems):
        part.write_to_path(str(folder / "server.pem"), append=place > 0)
    people = folder / "www" / "people"
    people.mkdir(parents=True)
    (people / "12345678Z.json").write_text(json.dumps({"name": "Ñandú", "cars": [1, 2]}))
    (folder / "www" / "slow").mkdir()
    (folder / "www" / "slow" / "big.json").write_text(json.dumps(["x" * 500]))
    (folder / "www" / "large.json").write_text(json.dumps(["x" * 300_000]))
    ports = {"plain": free_port(), "secure": free_port(), "folder": str(folder)}
    node = nginx(folder, HTTP.format(**ports), f"127.0.0.1:{ports['plain']}", "/people/12345678Z.json", folder / "nginx.log")
    await node.start()
    try:
        await node.ready()
        yield ports
    finally:
        await node.stop()


async def ask(client: httpx.AsyncClient) -> dict[str, Any]:
    url = (await client.post("/api/v1/requests", json=question())).headers["location"]
    async with asyncio.timeout(15):
        while True:
            answer: dict[str, Any] = (await client.get(url, headers={"Prefer": "wait=5"})).json()
            if not answer["queryMore"]:
                return answer


async def test_every_kind_of_answer_of_a_real_server_becomes_what_it_should(tmp_path: Path) -> None:
    async with bodies(tmp_path) as ports:
        program = Program(tmp_path, CONNECTORS.format(**ports))
        await program.start()
        try:
            async with program.client() as client:
                snapshot = await ask(client)
                again = [await ask(client) for _ in range(8)]
        finally:
            await program.kill()
    answers = {answer["connector"]: answer for answer in snapshot["answers"]}
    assert answers["plain"]["data"] == {"name": "Ñandú", "cars": 2}
    assert answers["secure"]["data"] == {"name": "Ñandú", "cars": [1, 2]}
    assert answers["marked"]["data"] == {"name": "Ñandú", "cars": [1, 2]}
    assert answers["post"]["data"] == {"method": "POST", "type": "application/json"}
    assert answers["nothing"]["state"] == "ok"
    assert "data" not in answers["nothing"]
    assert {name: answer.get("reason") for name, answer in answers.items()} == {
        "plain": None,
        "marked": None,
        "secure": None,
        "post": None,
        "nothing": None,
        "stranger": "backend_error",
        "unknown": "backend_error",
        "slow": "backend_timeout",
        "error": "backend_error",
        "busy": "backend_error",
        "moved": "backend_error",
        "hello": "backend_error",
        "large": "backend_error",
    }
    assert answers["busy"]["attempts"] == 2
    assert not snapshot["complete"]
    # Connections are kept, and closed by nginx after every third call: nothing is lost by that.
    for each in again:
        healthy = [
            answer for answer in each["answers"] if answer["connector"] in {"plain", "marked", "secure", "post", "nothing"}
        ]
        assert [answer["state"] for answer in healthy] == ["ok"] * 5
        assert next(answer["data"] for answer in healthy if answer["connector"] == "marked") == answers["marked"]["data"]
    # What nginx marks is sent once; then it says that nothing has changed.
    assert (tmp_path / "access.log").read_text().count("/people/12345678Z.json 304") == len(again)
    # What failed too often is left alone.
    assert {answer["connector"] for answer in again[-1]["answers"] if answer.get("reason") == "circuit_open"} >= {"error"}


class Hub:
    """Stands in for a hub: answers with its name, or breaks off when it has read the request."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.broken = False
        self.heads: list[bytes] = []
        self.go_on = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = [int(line[16:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length: ")]
        await reader.readexactly(sum(length))
        self.heads.append(head)
        if not self.broken:
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n" + self.name.encode()
            )
            if b"/events" in head:
                await self.go_on.wait()
                writer.write(b"; more")
            await writer.drain()
        writer.close()


@asynccontextmanager
async def proxied(folder: Path, *hubs: Hub) -> AsyncIterator[tuple[httpx.AsyncClient, list[dict[str, str]]]]:
    """A client of nginx before `hubs`, and the lines that it says."""
    servers = [await asyncio.start_server(hub.serve, "127.0.0.1", 0) for hub in hubs]
    addresses = {hub.name: "{}:{}".format(*server.sockets[0].getsockname()) for hub, server in zip(hubs, servers, strict=True)}
    lines, listen = list[dict[str, str]](), f"127.0.0.1:{free_port()}"

    def listener(line: bytes) -> None:
        if line.startswith(b"{"):  # else it complains of something, such as a hub that breaks off
            lines.append(json.loads(line))

    node = nginx(folder, before_hubs(listen, addresses), listen, "/health/ready", listener)
    await node.start()
    try:
        await node.ready()
        async with httpx.AsyncClient(base_url=f"http://{listen}", trust_env=False) as client:
            yield client, lines
    finally:
        await node.stop()
        for server in servers:
            server.close()


KEY = {"Idempotency-Key": "one"}


@pytest.mark.parametrize(("method", "headers", "status"), [("GET", {}, 200), ("POST", KEY, 200), ("POST", {}, 502)])
async def test_what_may_be_repeated_is_asked_of_another_hub_when_one_breaks_off(
    method: str, headers: dict[str, str], status: int, tmp_path: Path
) -> None:
    one, two = hubs = Hub("one"), Hub("two")
    async with proxied(tmp_path, *hubs) as (client, _):
        (first,) = [hub for hub in hubs if not hub.heads]  # the other one has said that it is ready
        first.broken = True
        answered = await client.request(method, "/api/v1/requests", headers=headers, content=b"x" * 20_000)
        assert answered.status_code == status
        assert len([each for each in one.heads + two.heads if each.startswith(method.encode() + b" /api")]) == (
            2 if status == 200 else 1
        )
        assert all(b"Host: 127.0.0.1:" in each for each in one.heads + two.heads)


async def test_a_hub_that_breaks_off_is_left_alone_and_who_served_is_told(tmp_path: Path) -> None:
    hubs = Hub("one"), Hub("two")
    async with proxied(tmp_path, *hubs) as (client, lines):
        (dead,) = [hub for hub in hubs if not hub.heads]
        (alive,) = [hub for hub in hubs if hub is not dead]
        dead.broken = True
        for _ in range(6):
            assert (await client.get("/api/v1/requests/1")).text == alive.name
        assert len(dead.heads) == 1
        await until(lambda: told(lines, 6))
        looks = [line["to"] for line in lines if line["path"] == "/api/v1/requests/1"]
        assert [look.count(",") for look in looks] == [1, 0, 0, 0, 0, 0]
        assert len({look.rpartition(", ")[2] for look in looks}) == 1


async def told(lines: list[dict[str, str]], count: int) -> bool:
    return sum(line["path"] == "/api/v1/requests/1" for line in lines) == count


async def test_an_event_is_passed_on_when_it_comes(tmp_path: Path) -> None:
    hub = Hub("one")
    async with proxied(tmp_path, hub) as (client, _), client.stream("GET", "/api/v1/requests/1/events") as response:
        parts = response.aiter_text()
        assert await anext(parts) == "one"
        hub.go_on.set()
        assert await anext(parts) == "; more"

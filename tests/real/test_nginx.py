"""The main job on something that we did not write: nginx as the bodies, plain and over TLS (H10 to H13)."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from support.poll import until
from support.program import Program, free_port, question

pytestmark = pytest.mark.real

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type application/json;
    gzip on;
    gzip_types application/json;
    gzip_min_length 1;
    keepalive_requests 3;
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
        location /post/ {{ return 200 '{{"asked":"$request_method","type":"$content_type"}}'; }}
    }}
}}
"""

CONNECTORS = """
[connectors.plain]
url = "http://127.0.0.1:{plain}/people/{{subject}}.json"
transform = "{{name: name, cars: length(cars)}}"
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
async def nginx(folder: Path) -> AsyncIterator[dict[str, Any]]:
    """It serves files from `folder`, plain and over TLS."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert program, "nginx is not installed: make test-real does it"
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
    (folder / "nginx.conf").write_text(CONFIGURATION.format(**ports))
    process = await asyncio.create_subprocess_exec(program, "-c", str(folder / "nginx.conf"), "-p", str(folder))
    try:
        await until(lambda: answers(f"http://127.0.0.1:{ports['plain']}/people/12345678Z.json"), seconds=10)
        yield ports
    finally:
        process.terminate()
        await process.wait()


async def answers(url: str) -> bool:
    """Whether anybody is there."""
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(url)).is_success
    except httpx.TransportError:
        return False


async def ask(client: httpx.AsyncClient) -> dict[str, Any]:
    url = (await client.post("/api/v1/requests", json=question())).headers["location"]
    async with asyncio.timeout(15):
        while True:
            answer: dict[str, Any] = (await client.get(url, headers={"Prefer": "wait=5"})).json()
            if not answer["queryMore"]:
                return answer


async def test_every_kind_of_answer_of_a_real_server_becomes_what_it_should(tmp_path: Path) -> None:
    async with nginx(tmp_path) as ports:
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
    assert answers["post"]["data"] == {"asked": "POST", "type": "application/json"}
    assert answers["nothing"]["state"] == "ok"
    assert "data" not in answers["nothing"]
    assert {name: answer.get("reason") for name, answer in answers.items()} == {
        "plain": None,
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
        healthy = [answer for answer in each["answers"] if answer["connector"] in {"plain", "secure", "post", "nothing"}]
        assert [answer["state"] for answer in healthy] == ["ok"] * 4
    # What failed too often is left alone.
    assert {answer["connector"] for answer in again[-1]["answers"] if answer.get("reason") == "circuit_open"} >= {"error"}

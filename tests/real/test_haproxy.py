"""Our HTTP client through HAProxy, which closes, refuses, times out and dies: no answer is another's, and none is lost by it (H10)."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from dev.health import says_ok
from dev.node import Node

from esclusa.connectors.transport import HttpClient, HttpError, Limits, Origin, Request, Response
from esclusa.kernel.clock import Clock
from esclusa.testing.hostile import Peer, answer, hostile
from support.program import free_port

pytestmark = pytest.mark.real

KEPT = 0.02
"""Seconds after which HAProxy closes a connection that no call uses."""
CONFIGURATION = """
global
    nbthread 1
defaults
    mode http
    retries 0
    timeout connect 2s
    timeout client 10s
    timeout http-request 10s
    timeout http-keep-alive {kept}ms
    timeout server 300ms
frontend calls
    bind {address}
    http-request return status 200 if {{ path /ready }}
    http-request reject if {{ path_beg /rejected/ }}
    http-request return status 503 if {{ path_beg /busy/ }}
    default_backend bodies
backend bodies
    http-reuse always
    server body 127.0.0.1:{port}
"""
ENDINGS = {
    "fine": {"200"},
    "rejected": {"closed"},
    "busy": {"503"},
    "hangs": {"504"},
    "cut": {"closed"},
    "reset": {"502"},
}
"""How a call may end, by the first part of its path."""


class Body:
    """What HAProxy stands before. It says what it was asked, and remembers it."""

    def __init__(self) -> None:
        self.served: Counter[str] = Counter()

    async def __call__(self, peer: Peer) -> None:
        while request := await peer.request():
            target = request.split(b" ")[1].decode()
            self.served[target] += 1
            said = answer(json.dumps(target).encode() * 50, b"200 OK", b"content-type: application/json")
            if target.startswith("/hangs/"):
                await peer.gone()
            elif target.startswith("/reset/"):
                peer.reset()
                return
            elif target.startswith("/cut/"):
                await peer.send(said[:-20])
                return
            else:
                await peer.send(said)


@asynccontextmanager
async def haproxy(folder: Path) -> AsyncIterator[tuple[Origin, Body, Node]]:
    """HAProxy, ready, before a body."""
    body = Body()
    address = f"127.0.0.1:{free_port()}"
    program = shutil.which("haproxy", path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin")))
    assert program is not None, 'HAProxy is not installed: "dev/install haproxy" does it with apt-get'
    async with hostile(body) as back:
        file = folder / "haproxy.cfg"
        file.write_text(CONFIGURATION.format(address=address, port=back.port, kept=round(KEPT * 1000)))
        node = Node(
            "haproxy", address, [program, "-db", "-f", str(file)], folder / "haproxy.log", partial(says_ok, address, "/ready")
        )
        await node.start()
        try:
            await node.ready()
            yield Origin.of(f"http://{address}"), body, node
        finally:
            await node.stop()


async def called(client: HttpClient, clock: Clock, request: Request) -> Response | HttpError:
    try:
        return await client.request(request, clock.now() + 20)
    except HttpError as error:
        return error


def kind(ended: Response | HttpError) -> str:
    return ended.kind if isinstance(ended, HttpError) else str(ended.status)


def is_right(request: Request, ended: Response | HttpError) -> bool:
    """Whether an answer, if it is one of the body's, is that to this request."""
    if isinstance(ended, HttpError) or ended.status != 200:
        return True
    return ended.body == json.dumps(request.target.decode()).encode() * 50


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_connection_closed_in_the_moment_of_a_call_costs_what_is_safe_nothing_and_is_never_asked_twice(
    method: str, tmp_path: Path
) -> None:
    """Calls come when HAProxy is about to close: some just before, some just after, some in the same moment."""
    dice, clock, ended = random.Random(1), Clock(), dict[str, Response | HttpError]()
    async with haproxy(tmp_path) as (origin, body, _):

        async def caller(number: int) -> None:
            async with HttpClient(origin, clock, limits=Limits(connections=1)) as client:
                for call in range(60):
                    request = Request(method, f"/fine/{number}/{call}", body=b"x" if method == "POST" else b"")
                    ended[request.target.decode()] = last = await called(client, clock, request)
                    assert is_right(request, last)
                    due = asyncio.Event()
                    clock.call_at(clock.now() + KEPT + dice.uniform(-0.002, 0.002), due.set)
                    await due.wait()

        await asyncio.gather(*(caller(number) for number in range(16)))
        kinds = Counter(kind(each) for each in ended.values())
        assert kinds["200"] > 800
        for target, each in ended.items():
            if kind(each) == "200":
                assert body.served[target] == 1
            else:
                assert method == "POST"
                assert kind(each) == "closed"
                assert body.served[target] == 0


async def test_under_load_every_call_ends_as_it_has_to_and_no_answer_is_another_s(tmp_path: Path) -> None:
    dice, clock = random.Random(2), Clock()
    async with haproxy(tmp_path) as (origin, _, _), HttpClient(origin, clock, limits=Limits(connections=32)) as client:
        requests = [Request("GET", f"/{dice.choice(list(ENDINGS))}/{number}") for number in range(1000)]
        ended = await asyncio.gather(*(called(client, clock, request) for request in requests))
        for request, each in zip(requests, ended, strict=True):
            assert is_right(request, each)
            assert kind(each) in ENDINGS[request.target.decode().split("/")[1]], (request.target, each)
        assert client.waiting == 0
        assert kind(await called(client, clock, Request("GET", "/fine/last"))) == "200"


async def test_it_is_killed_and_comes_back_and_calls_go_on(tmp_path: Path) -> None:
    clock, ended = Clock(), list[str]()
    async with haproxy(tmp_path) as (origin, _, node), HttpClient(origin, clock, limits=Limits(connections=8)) as client:
        over = asyncio.Event()

        async def caller(number: int) -> None:
            while not over.is_set():
                request = Request("GET", f"/fine/{number}/{len(ended)}")
                last = await called(client, clock, request)
                assert is_right(request, last)
                ended.append(kind(last))

        calling = asyncio.gather(*(caller(number) for number in range(16)))
        for _ in range(3):
            await node.kill()
            await node.start()
            await node.ready()
        assert kind(await called(client, clock, Request("GET", "/fine/last"))) == "200"
        over.set()
        await calling
    assert set(ended) <= {"200", "closed", "connect"}

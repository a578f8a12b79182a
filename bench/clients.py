"""One GET again and again: our HTTP client beside those that one would otherwise take, each with its answer read whole.

None of the peers is made slow: one session or client for all calls, as many connections as there are calls in the air, no
answer decoded, and the same loop (uvloop).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import httpx
import msgspec
from aiohttp import ClientSession, TCPConnector
from pyreqwest.client import ClientBuilder

from bench.hosts import Hosts
from bench.load import Cost, Typical, Watch, in_the_air
from bench.questions import runtime
from esclusa.connectors.transport import (
    HttpClient,
    HttpError,
    Limits,
    Origin,
    Request,
    RequestTemplate,
    Response,
    client_context,
)
from esclusa.kernel.instrument import Level

IN_THE_AIR = 64
"""Calls at a time, where the work says nothing else."""
MANY = 1_000
"""Hosts, where there are many; each has one call in the air."""
PATIENCE = 30.0
"""Seconds that a call may take."""
WARM = 0.3
"""Seconds of load before what is measured: connections are opened."""
TARGET = "/body/0"
MAX_BODY = 256 * 1024


class Work(msgspec.Struct, frozen=True):
    """What is called, and how many times at once."""

    origins: Sequence[str]
    """`http://127.0.0.1:40001`; the calls go to them in turn."""
    width: int
    authority: str
    """A PEM file: whom to trust."""


Client = Callable[[Work, float], Coroutine[Any, Any, Cost]]
"""Does some work for so many seconds."""


class Clients(msgspec.Struct, frozen=True):
    """What a call of one kind of work costs, by client."""

    work: str
    by: Mapping[str, Typical]
    """Ours first."""


def works(addresses: Sequence[str], hosts: Hosts) -> Mapping[str, Work]:
    """All kinds, by their names."""
    return {
        "300 bytes": Work(addresses[:1], IN_THE_AIR, hosts.authority),
        "64 KiB": Work([hosts.large], IN_THE_AIR, hosts.authority),
        "300 bytes over TLS": Work([hosts.secure], IN_THE_AIR, hosts.authority),
        f"300 bytes from each of {MANY:,} hosts": Work(list(islice(cycle(addresses), MANY)), MANY, hosts.authority),
    }


async def ours(work: Work, seconds: float) -> Cost:
    """The product's."""
    async with runtime(Level.SILENT) as run:
        clock = run.clock
        each = work.width // len(work.origins)
        context = client_context(ca=work.authority)
        limits = Limits(connections=each, max_body=MAX_BODY)
        request = Request(RequestTemplate("GET", ()), TARGET)
        clients = [HttpClient(Origin.of(origin), clock, limits=limits, tls=context) for origin in work.origins]

        def call(client: HttpClient, done: Callable[[object], None]) -> None:
            client.send(request, clock.now() + PATIENCE, partial(_ended, done))

        begin = [partial(call, client) for client in clients]
        await in_the_air(begin, each, WARM)
        cost = await in_the_air(begin, each, seconds)
        for client in clients:
            await client.close()
    return cost


def _ended(done: Callable[[object], None], ending: Response | HttpError) -> None:
    assert isinstance(ending, Response), ending
    done(ending)


async def ours_awaited(work: Work, seconds: float) -> Cost:
    """The product's, through the coroutine that is for whoever writes a protocol as one."""
    async with runtime(Level.SILENT) as run:
        clock = run.clock
        context = client_context(ca=work.authority)
        limits = Limits(connections=work.width // len(work.origins), max_body=MAX_BODY)
        request = Request(RequestTemplate("GET", ()), TARGET)
        clients = {origin: HttpClient(Origin.of(origin), clock, limits=limits, tls=context) for origin in work.origins}

        async def get(origin: str) -> None:
            assert (await clients[origin].request(request, clock.now() + PATIENCE)).status == 200

        cost = await _again_and_again(get, work, seconds)
        for client in clients.values():
            await client.close()
    return cost


async def by_aiohttp(work: Work, seconds: float) -> Cost:
    """With aiohttp."""
    tls = client_context(ca=work.authority)
    async with ClientSession(connector=TCPConnector(limit=work.width, ssl=tls)) as session:

        async def get(origin: str) -> None:
            async with session.get(origin + TARGET) as response:
                await response.read()
                assert response.ok

        return await _again_and_again(get, work, seconds)


async def by_httpx(work: Work, seconds: float) -> Cost:
    """With httpx."""
    limits = httpx.Limits(max_connections=work.width, max_keepalive_connections=work.width)
    tls = client_context(ca=work.authority)
    async with httpx.AsyncClient(limits=limits, verify=tls, timeout=PATIENCE, trust_env=False) as client:

        async def get(origin: str) -> None:
            assert (await client.get(origin + TARGET)).is_success

        return await _again_and_again(get, work, seconds)


async def by_pyreqwest(work: Work, seconds: float) -> Cost:
    """With pyreqwest: reqwest and tokio, in Rust, on threads of its own."""
    authority = await asyncio.to_thread(Path(work.authority).read_bytes)
    builder = ClientBuilder().add_root_certificate_pem(authority).pool_max_idle_per_host(work.width)
    async with builder.build() as client:

        async def get(origin: str) -> None:
            response = await client.get(origin + TARGET).build().send()
            await response.bytes()
            assert response.status == 200

        return await _again_and_again(get, work, seconds)


async def _again_and_again(get: Callable[[str], Awaitable[None]], work: Work, seconds: float) -> Cost:
    """As many callers as there are calls in the air, each of which calls one of the origins over and over."""
    done = 0

    async def caller(origin: str, until: float) -> None:
        nonlocal done
        while time.perf_counter() < until:
            await get(origin)
            done += 1

    async def all_of_them(seconds: float) -> None:
        until = time.perf_counter() + seconds
        await asyncio.gather(*(caller(origin, until) for origin in islice(cycle(work.origins), work.width)))

    await all_of_them(WARM)
    done, watch = 0, Watch()
    await all_of_them(seconds)
    return watch.cost(done)


CLIENTS: Mapping[str, Client] = {
    "ours": ours,
    "ours, awaited": ours_awaited,
    "aiohttp": by_aiohttp,
    "httpx": by_httpx,
    "pyreqwest": by_pyreqwest,
}
"""Who does the same work."""

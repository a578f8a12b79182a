from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from typing import Any

import pytest

from esclusa.demo.bodies import BODIES, FIRST_PORT, Body
from esclusa.demo.country import Country
from esclusa.kernel.clock import Clock

NIF = "99002727D"


async def test_every_body_has_a_port_of_its_own(running: Any) -> None:
    async with running() as (country, _):
        assert list(country.ports) == [body.name for body in BODIES]
        assert len(set(country.ports.values())) == len(BODIES)


async def test_every_body_that_has_an_answer_gives_it(running: Any, ask: Any) -> None:
    async with running() as (country, clock):
        for body in (body for body in BODIES if body.answer and not body.soap and not body.host):
            secret = (f"{body.secret[0]}: {body.secret[1]}",) if body.secret else ()
            target = body.path.format(nif=NIF) + ("" if "{nif}" in body.path else f"?nif={NIF}")
            statuses = {(await ask(country.ports[body.name], target, *secret)).status for _ in range(2)}
            assert statuses & {200, 404}, body.name
            assert body.delay(NIF) in clock.slept


async def test_the_ports_follow_the_first_where_one_is_given() -> None:
    country = Country(Clock(), BODIES[:3], first_port=FIRST_PORT)
    await country.start()
    assert list(country.ports.values()) == [FIRST_PORT, FIRST_PORT + 1, FIRST_PORT + 2]
    await country.stop()


def neighbours() -> tuple[socket.socket, socket.socket]:
    """Two sockets, bound to a port and to the next."""
    for port in range(FIRST_PORT + 100, FIRST_PORT + 300):
        pair = socket.socket(), socket.socket()
        with contextlib.suppress(OSError):
            pair[0].bind(("127.0.0.1", port))
            pair[1].bind(("127.0.0.1", port + 1))
            return pair
        for each in pair:
            each.close()
    raise AssertionError("no two free ports side by side")


async def test_a_port_that_is_taken_is_told_and_the_others_are_let_go() -> None:
    free, taken = neighbours()
    port = free.getsockname()[1]
    free.close()
    country = Country(Clock(), [Body(name="before"), Body(name="after")], first_port=port)
    with taken, pytest.raises(OSError, match="in use"):
        await country.start()
    with socket.socket() as again:
        again.bind(("127.0.0.1", port))


async def test_stopping_cuts_who_is_being_served(running: Any) -> None:
    async with running() as (country, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", country.ports["imserso"])
        writer.write(b"GET /expedientes/1 HTTP/1.1\r\n\r\n")
        await writer.drain()
    try:
        assert await reader.read() == b""
    except ConnectionResetError:
        pass
    finally:
        writer.transport.abort()


async def country_process() -> tuple[Process, dict[str, int]]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "esclusa.demo.country", stdin=PIPE, stdout=PIPE)
    assert process.stdout
    return process, json.loads(await process.stdout.readline())["ports"]


def let_go(process: Process) -> None:
    assert process.stdin
    process.stdin.close()


@pytest.mark.parametrize("end", [let_go, lambda process: process.send_signal(signal.SIGTERM)], ids=["parent gone", "SIGTERM"])
async def test_the_process_ends_with_its_parent_and_when_told(end: Callable[[Process], None], ask: Any) -> None:
    process, ports = await country_process()
    try:
        assert (await ask(ports["padron"], f"/inscripciones/{NIF}")).said["inscripciones"][0]["municipio"] == "Zaragoza"
        end(process)
        assert await asyncio.wait_for(process.wait(), 5) == 0
        with pytest.raises(ConnectionRefusedError):
            await ask(ports["padron"], f"/inscripciones/{NIF}")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

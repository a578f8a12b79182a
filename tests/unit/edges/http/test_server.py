"""The server as a part: where it serves, how it drains, what it leaves behind (H40)."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import stat
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from esclusa.edges.http.server import SOCKET, Address, HttpServer
from esclusa.edges.http.settings import ServerSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import CannotListen
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument
from esclusa.testing.virtual import EPOCH
from support.api import AS_SEDE, Served, faked


def another(edge: Served, folder: Path, listen: str = "127.0.0.1:0", clock: Clock | None = None) -> HttpServer:
    """A server of the same applications, elsewhere."""
    clock = clock or Clock()
    settings = ServerSettings(listen=listen)
    return HttpServer(edge.server._applications, settings, folder, clock, Ids(clock), Instrument())


class Stepped(Clock):
    """Every sleep lasts until it is told to end; then that much time has gone by."""

    __slots__ = ("ahead", "asleep", "awake")

    def __init__(self) -> None:
        super().__init__(epoch=EPOCH)
        self.ahead = 0.0
        self.asleep, self.awake = asyncio.Event(), asyncio.Event()

    def now(self) -> float:
        return EPOCH + self.ahead

    async def sleep(self, seconds: float) -> None:
        self.asleep.set()
        await self.awake.wait()
        self.awake.clear()
        self.ahead += seconds


def test_an_address_as_a_url() -> None:
    assert Address("127.0.0.1", 8080).url == "http://127.0.0.1:8080"
    assert Address("::1", 8080).url == "http://[::1]:8080"


async def test_port_0_is_a_free_one_that_is_told() -> None:
    async with faked() as (_, edge):
        assert edge.server.address is not None
        assert edge.server.address.port > 0
        assert (await edge.client.get("/health/live")).status_code == 200


async def test_ipv6(tmp_path: Path) -> None:
    async with faked() as (_, edge):
        server = another(edge, tmp_path, "[::1]:0")
        await server.start()
        assert server.address is not None
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{server.address.url}/health/live")).status_code == 200
        await server.stop()


async def test_an_address_that_is_taken_is_said_in_words_and_nothing_is_left(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        async with faked() as (_, edge):
            server = another(edge, tmp_path, where)
            with pytest.raises(CannotListen, match=re.escape(where) + r" can't be served on: address already in use"):
                await server.start()
            assert not (tmp_path / SOCKET).exists()


async def test_a_folder_that_cant_be_made_is_said_with_what_to_change(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with faked() as (_, edge):
        server = another(edge, tmp_path / "file")
        with pytest.raises(CannotListen, match=r"can't be served on: .*: give \[esclusa\] data another folder"):
            await server.start()


async def test_the_operators_socket_is_its_owners_alone() -> None:
    async with faked() as (_, edge):
        assert stat.S_IMODE(edge.server.socket.stat().st_mode) == 0o600
    assert not edge.server.socket.exists()


async def test_a_socket_left_by_a_process_that_was_killed_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / SOCKET))
        dead.listen()
    async with faked() as (_, edge):
        server = another(edge, tmp_path)
        await server.start()
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(server.socket))) as client:
            assert (await client.get("http://local/health/live")).status_code == 200
        await server.stop()


async def test_a_socket_that_somebody_serves_on_is_not(tmp_path: Path) -> None:
    async with faked() as (_, edge):
        first, second = another(edge, tmp_path), another(edge, tmp_path)
        await first.start()
        with pytest.raises(
            CannotListen, match=rf"the process {os.getpid()} does: end it, or give \[esclusa\] data another folder"
        ):
            await second.start()
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(first.socket))) as client:
            assert (await client.get("http://local/health/live")).status_code == 200
        await first.stop()


async def test_a_folder_whose_name_is_too_long_for_a_socket_is_said_in_words(tmp_path: Path) -> None:
    async with faked() as (_, edge):
        with pytest.raises(CannotListen, match="too long"):
            await another(edge, tmp_path / ("x" * 120)).start()


async def test_a_folder_in_which_there_can_be_none_is_said_in_words() -> None:
    async with faked() as (_, edge):
        with pytest.raises(CannotListen, match=r"/proc/esclusa\.sock"):
            await another(edge, Path("/proc")).start()


async def test_draining_lets_requests_finish_and_takes_no_more() -> None:
    async with faked() as (hub, edge):
        id = await edge.ask()
        polling = asyncio.ensure_future(edge.client.get(f"/api/v1/requests/{id}", headers={"prefer": "wait=20"}))
        await hub.waiting.wait()
        draining = asyncio.ensure_future(edge.server.drain())
        await asyncio.sleep(0)
        with pytest.raises(httpx.ConnectError):
            async with httpx.AsyncClient(base_url=edge.client.base_url, headers=AS_SEDE) as late:
                await late.get("/health/live")
        assert not draining.done()
        hub.answer(id, "dgt")
        answer = await polling
        assert answer.json()["answers"][0]["connector"] == "dgt"
        assert answer.headers["connection"] == "close"
        await draining


async def test_draining_closes_idle_connections() -> None:
    async with faked() as (_, edge), edge.connected() as (reader, _):
        await edge.client.get("/health/live")
        await edge.server.drain()
        assert await reader.read() == b""


async def test_the_administrator_sees_it_drain() -> None:
    async with faked(ServerSettings(admin="127.0.0.1:0")) as (_, edge):
        assert edge.server.admin is not None
        await edge.health.drain()
        await edge.server.drain()
        async with httpx.AsyncClient() as admin:
            assert (await admin.get(f"{edge.server.admin.url}/health/ready")).status_code == 503


async def test_stopping_cuts_what_would_not_end() -> None:
    async with faked() as (hub, edge):
        id = await edge.ask()
        streaming = asyncio.ensure_future(edge.client.get(f"/api/v1/requests/{id}/events"))
        await hub.waiting.wait()
        await edge.server.stop()
        with pytest.raises(httpx.HTTPError):
            await streaming
        assert hub.left.is_set()


async def test_answers_say_when_they_were_given(tmp_path: Path) -> None:
    """RFC 9110: `Date`, right to the second."""
    clock = Stepped()
    async with faked() as (_, edge), httpx.AsyncClient() as client:
        server = another(edge, tmp_path, clock=clock)
        await server.start()
        assert server.address is not None
        for seconds in (0, 1):
            await clock.asleep.wait()
            answer = await client.get(f"{server.address.url}/health/live")
            assert parsedate_to_datetime(answer.headers["date"]).timestamp() == EPOCH + seconds
            clock.asleep.clear()
            clock.awake.set()
        await server.stop()


async def test_connections_are_counted_by_where() -> None:
    async with faked() as (_, edge):
        await edge.client.get("/health/live")
        rows = dict(edge.instrument.gauges["esclusa_http_connections"].read())
        assert rows == {("local",): 0.0, ("public",): 1.0}

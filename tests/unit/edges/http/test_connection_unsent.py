"""What readers have not taken: how much it may be over all connections, and for how long."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from esclusa.edges.http.connection import LEAST_RATE, SMALL, Connection, Connections
from esclusa.edges.http.front import Front
from esclusa.edges.http.settings import ServerSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import Unavailable
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument


class Socket(asyncio.Transport):
    """A socket whose reader takes what the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 0
        self.cut = asyncio.Event()

    def get_write_buffer_size(self) -> int:
        return self.left

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.left += len(data)

    def close(self) -> None:
        """It ends when the test says so."""

    def abort(self) -> None:
        self.left = 0
        self.cut.set()


class Sockets:
    """Connections over sockets of the test's own."""

    def __init__(self, **limits: Any) -> None:
        self.clock, self.instrument = Clock(), Instrument()
        settings = ServerSettings(**limits)

        async def nothing(*_: Any) -> None:
            """Answers nothing."""

        front = Front(nothing, settings, self.clock, Ids(self.clock), self.instrument)
        self.connections = Connections(front, settings, self.clock, Ids(self.clock), self.instrument, state={})

    def open(self) -> tuple[Connection, Socket]:
        connection, socket_ = self.connections.open(), Socket()
        connection.connection_made(socket_)
        return connection, socket_


@pytest.mark.virtual_time
@pytest.mark.parametrize("every", [1, 9])
async def test_a_reader_that_trickles_is_cut_off(every: float) -> None:
    """All of an answer is taken within `bodyTimeout` and its size at the least rate."""
    here = Sockets(body_timeout=Duration(10))
    connection, to = here.open()
    began, to.left = here.clock.now(), 8 * 1024 * 1024
    connection.pause_writing()

    async def trickle() -> None:
        while not to.cut.is_set():
            await here.clock.sleep(every)
            to.left -= 1

    taking = asyncio.ensure_future(trickle())
    await to.cut.wait()
    assert here.clock.now() - began == pytest.approx(10 + 8 * 1024 * 1024 / LEAST_RATE)
    assert here.connections.refused.values == {("stalled",): 1}
    taking.cancel()
    connection.connection_lost(None)


@pytest.mark.virtual_time
async def test_a_stream_may_last_while_each_of_its_events_is_taken() -> None:
    here = Sockets(body_timeout=Duration(10))
    connection, to = here.open()
    for _ in range(20):
        to.left = 256 * 1024
        connection.pause_writing()
        await here.clock.sleep(9)
        to.left = 0
        connection.resume_writing()
    assert not to.cut.is_set()
    connection.connection_lost(None)


async def test_what_readers_have_not_taken_is_bounded_over_all_connections() -> None:
    here = Sockets(max_unsent=1_000_000)
    (first, to_first), (second, _) = here.open(), here.open()
    to_first.left = 800_000
    second.admit(200_000)
    with pytest.raises(Unavailable) as refused:
        second.admit(200_001)
    assert refused.value.retry_after == 1
    assert here.connections.refused.values == {("unsent",): 1}
    to_first.left = 0
    second.admit(200_001)
    first.connection_lost(None)
    second.connection_lost(None)


async def test_a_small_piece_is_always_admitted() -> None:
    here = Sockets(max_unsent=1)
    connection, to = here.open()
    to.left = 800_000
    connection.admit(SMALL)
    with pytest.raises(Unavailable):
        connection.admit(SMALL + 1)
    connection.connection_lost(None)


async def test_a_piece_that_waits_for_those_before_it_counts() -> None:
    here = Sockets()
    connection, to = here.open()
    to.left = 500_000
    connection.pause_writing()
    connection.admit(300_000)
    assert here.connections.unsent == 500_000
    waiting = asyncio.ensure_future(connection.flow.drain())
    await asyncio.sleep(0)
    assert here.connections.unsent == 800_000
    to.left = 0
    connection.resume_writing()
    await waiting
    assert here.connections.unsent == 0
    connection.connection_lost(None)

"""How long a reader may take, as connections have it."""

from __future__ import annotations

import asyncio

import pytest

from esclusa.edges.http.stall import LEAST_RATE
from esclusa.kernel.duration import Duration
from unit.edges.http.sockets import Sockets


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

"""What readers have not taken: how much it may be over all connections."""

from __future__ import annotations

import asyncio

import pytest

from esclusa.edges.http.connection import SMALL
from esclusa.kernel.errors import Unavailable
from unit.edges.http.sockets import Sockets


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


async def test_a_piece_counts_whole_until_all_of_it_is_taken() -> None:
    """It is held whole."""
    here = Sockets()
    connection, to = here.open()
    connection.admit(800_000)
    to.left = 10
    assert here.connections.unsent == 800_000
    connection.admit(20)
    assert here.connections.unsent == 800_000
    to.left = 0
    assert here.connections.unsent == 0
    connection.admit(0)
    to.left = 10
    assert here.connections.unsent == 20
    connection.connection_lost(None)

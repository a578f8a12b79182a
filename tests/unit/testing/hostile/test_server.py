from __future__ import annotations

import asyncio
import socket

import pytest

from esclusa.testing.hostile import Peer, hostile


async def test_it_counts_who_comes_and_is_healed() -> None:
    async with hostile("garbage", answer=b"good") as back:
        assert (back.accepted, back.url) == (0, f"http://127.0.0.1:{back.port}")
        for healed in (False, True):
            if healed:
                back.heal()
            reader, writer = await asyncio.open_connection(back.host, back.port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            said = await reader.read(9)
            assert (said == b"HTTP/1.1 ") is healed
            writer.close()
        assert back.accepted == 2


@pytest.mark.parametrize("name", ["unresolvable", "slow_name", "dead_ipv6"])
async def test_once_it_is_healed_its_name_leads_there(name: str) -> None:
    """For who asks `socket.getaddrinfo`: uvloop's own look-ups don't."""
    async with hostile(name, answer=b"good", raw=True) as back:
        assert back.host == "hostile.test"
        back.heal()
        [(*_, address)] = await asyncio.to_thread(socket.getaddrinfo, back.host, back.port, type=socket.SOCK_STREAM)
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"anything")
        assert await reader.readexactly(4) == b"good"
        writer.close()


async def test_it_does_what_a_script_says_and_tells_what_that_raises() -> None:
    async def script(peer: Peer) -> None:
        raise KeyError(await peer.some())

    async def call() -> None:
        async with hostile(script) as back:
            reader, writer = await asyncio.open_connection(back.host, back.port)
            writer.write(b"anything")
            assert await reader.read() == b""
            writer.close()

    with pytest.raises(KeyError, match="anything"):
        await call()


async def test_nobody_is_left_waiting_when_it_ends() -> None:
    async with hostile("hang_on_accept") as back:
        reader, writer = await asyncio.open_connection(back.host, back.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await asyncio.sleep(0)
    assert await reader.read() == b""
    assert back.open == 0
    writer.close()

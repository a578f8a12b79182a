from __future__ import annotations

import asyncio

from esclusa.testing.hostile import Peer, answer, hostile


def test_an_answer_has_its_length() -> None:
    assert answer(b"abc", b"404 Not Found", b"x: y") == b"HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\nx: y\r\n\r\nabc"


async def test_requests_come_one_by_one_with_their_bodies_and_heads_by_themselves() -> None:
    seen: list[bytes] = []

    async def script(peer: Peer) -> None:
        seen.extend([await peer.request(), await peer.head(), await peer.some(), await peer.request()])

    async with hostile(script) as back:
        reader, writer = await asyncio.open_connection(back.host, back.port)
        writer.write(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nokGET / HTTP/1.1\r\n\r\nrest")
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
    assert seen == [b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nok", b"GET / HTTP/1.1\r\n\r\n", b"rest", b""]


async def test_bytes_are_sent_as_they_are_and_the_connection_is_closed_after_them() -> None:
    async with hostile("half_frame", answer=b"12345678") as back:
        reader, writer = await asyncio.open_connection(back.host, back.port)
        writer.write(b"anything")
        assert await reader.read() == b"1234"
        writer.close()


async def test_the_good_answer_is_over_http_or_as_it_is() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(peer.answer())

    for raw, expected in (
        (True, b"good"),
        (False, b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-type: text/plain\r\n\r\ngood"),
    ):
        async with hostile(script, answer=b"good", content_type="text/plain", raw=raw) as back:
            reader, writer = await asyncio.open_connection(back.host, back.port)
            assert await reader.read() == expected
            writer.close()

from __future__ import annotations

import asyncio
import gzip

import pytest

from esclusa.demo.http11 import MAX_BODY, BadRequest, Call, Reply, read_call


async def read(sent: bytes, limit: int = 1024) -> Call | None:
    reader = asyncio.StreamReader(limit=limit)
    reader.feed_data(sent)
    reader.feed_eof()
    return await read_call(reader)


async def test_a_request_is_taken_apart() -> None:
    call = await read(
        b"POST /renta%20x?nif=1%2B2&desde= HTTP/1.1\r\nHost: x\r\nX-Name:  value \r\nContent-Length: 2\r\n\r\n{}rest"
    )
    assert call == Call("POST", "/renta x", {"nif": "1+2"}, {"host": "x", "x-name": "value", "content-length": "2"}, b"{}")


async def test_a_caller_may_hang_up_between_requests() -> None:
    assert await read(b"") is None


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1),
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 2000 + b"\r\n\r\n",
    ],
)
async def test_what_is_not_read_here_is_said_to_be_so(sent: bytes) -> None:
    with pytest.raises(BadRequest):
        await read(sent)


def test_an_answer_has_a_length_and_keeps_the_connection() -> None:
    head, _, content = Reply(404, b"{}").to(Call("GET", "/", {}, {}, b"")).partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 404 Not Found",
        b"Content-Type: application/json",
        b"Content-Length: 2",
        b"Connection: keep-alive",
    ]
    assert content == b"{}"


def test_the_connection_is_closed_for_who_asks_for_it() -> None:
    assert b"Connection: close" in Reply(200, b"").to(Call("GET", "/", {}, {"connection": "close"}, b""))


def test_a_long_answer_is_compressed_for_who_can_read_it() -> None:
    long = Reply(200, b"x" * 5000)
    head, _, content = long.to(Call("GET", "/", {}, {"accept-encoding": "gzip, br"}, b"")).partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert gzip.decompress(content) == b"x" * 5000
    assert b"gzip" not in long.to(Call("GET", "/", {}, {}, b""))
    assert b"gzip" not in Reply(200, b"{}").to(Call("GET", "/", {}, {"accept-encoding": "gzip"}, b""))


def test_who_asks_for_the_head_gets_no_more() -> None:
    assert Reply(200, b"{}").to(Call("HEAD", "/", {}, {}, b"")).endswith(b"\r\n\r\n")

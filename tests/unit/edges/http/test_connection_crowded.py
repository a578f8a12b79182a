"""More than one connection may bring: requests behind one another, and what stands around a body."""

from __future__ import annotations

import pytest

from esclusa.edges.http.connection import BEHIND
from unit.edges.http.listening import GET, listening, problem

POST = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
POST_WHEN_TOLD = POST[:-2] + b"expect: 100-continue\r\n\r\n"
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


async def test_so_many_requests_may_wait_behind_another() -> None:
    async with listening() as here:
        reader, writer = await here.open()
        for _ in range(2):
            writer.write(GET * (1 + BEHIND))
            for _ in range(1 + BEHIND):
                assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200")
        assert not here.refused("unavailable")
        writer.close()


async def test_beyond_the_connection_ends_with_the_answers_to_these() -> None:
    async with listening() as here:
        said = await here.said(GET * 30 + LAST)
        assert said.count(b"HTTP/1.1 200") == len(here.served) == 1 + BEHIND
        assert said.endswith(b"xx")
        assert here.refused("unavailable") == 1


async def test_the_headers_of_those_that_wait_are_together_no_larger_than_those_of_one() -> None:
    async with listening(max_header=1000) as here:
        one = b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"a" * 400 + b"\r\n\r\n"
        said = await here.said(one * 4 + LAST)
        assert said.count(b"HTTP/1.1 200") == len(here.served) == 3


async def test_trailers_are_left_out() -> None:
    async with listening(read_body=True) as here:
        reader, writer = await here.open()
        writer.write(POST + b"1\r\nx\r\n0\r\nexpect: 100-continue\r\nhost: other\r\n\r\n")
        assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200")
        writer.write(GET)
        assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200")
        assert here.served[0]["headers"] == [(b"host", b"x"), (b"transfer-encoding", b"chunked")]
        writer.close()


@pytest.mark.parametrize(
    "pieces",
    [
        [b"1\r\nx\r\n0\r\n", *[b"a: b\r\n" * 50] * 20],
        [b"0\r\na: ", *[b"a" * 500] * 20],
        [b"1;a=", *[b"a" * 500] * 20],
    ],
    ids=["trailers without end", "one without end", "an extension without end"],
)
async def test_what_stands_around_a_body_has_a_size(pieces: list[bytes]) -> None:
    """And whoever sends it is told at once, not when the body is late."""
    async with listening(read_body=True, max_header=1000) as here:
        reader, writer = await here.open()
        writer.write(POST_WHEN_TOLD)
        await reader.readuntil(GO_ON)
        for piece in pieces:
            writer.write(piece)
        assert problem(await reader.read()) == (413, "/problems/too-large")
        writer.close()
        assert here.refused("too-large") == 1


async def test_chunks_may_be_small() -> None:
    async with listening(read_body=True, max_header=100) as here:
        reader, writer = await here.open()
        writer.write(POST_WHEN_TOLD)
        await reader.readuntil(GO_ON)
        for _ in range(100):
            writer.write(b"1\r\nx\r\n" * 50)
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_body_that_is_not_http_is_refused_at_once() -> None:
    async with listening(read_body=True) as here:
        assert problem(await here.said(POST, b"1\r\nx\r\n", b"garbage\r\n")) == (400, "/problems/malformed")

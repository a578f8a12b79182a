"""The limits of connections and headers, against callers who keep to none."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

import pytest
import trustme

from esclusa.edges.http.connection import SMALL
from esclusa.edges.http.front import ADMIT
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Unavailable
from unit.edges.http.listening import GET, SOON, listening, problem


async def test_requests_of_one_connection_are_served_one_after_another() -> None:
    async with listening() as here:
        reader, writer = await here.open()
        for _ in range(3):
            writer.write(GET)
            assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200")
        writer.write(GET * 3)
        for _ in range(3):
            assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200")
        writer.close()
        assert here.served[0]["state"]["there"] == 1


async def test_headers_have_a_time() -> None:
    async with listening(header_timeout=SOON) as here:
        assert problem(await here.said(b"GET / HTTP/1.1\r\nhos")) == (408, "/problems/too-slow")
        assert here.refused("too-slow") == 1
        assert not here.served


async def test_headers_that_trickle_have_no_more() -> None:
    async with listening(header_timeout=SOON) as here:
        reader, writer = await here.open()

        async def trickle() -> None:
            writer.write(b"GET / HTTP/1.1\r\n")
            while True:
                writer.write(b"x")
                await asyncio.sleep(0)

        trickling = asyncio.ensure_future(trickle())
        said = await reader.read()
        trickling.cancel()
        writer.close()
        assert problem(said)[0] in {408, 431}
        assert not here.served


async def test_so_have_those_of_a_later_request() -> None:
    async with listening(header_timeout=SOON) as here:
        reader, writer = await here.open()
        writer.write(GET)
        await reader.readuntil(b"xx")
        writer.write(b"GET / HT")
        assert problem(await reader.read()) == (408, "/problems/too-slow")
        writer.close()


async def test_the_time_of_headers_begins_with_their_first_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection may be opened before it is used: until then a deadline of its own holds."""
    armed: list[asyncio.TimerHandle] = []
    again = asyncio.Event()
    call_at = Clock.call_at

    def noting(clock: Clock, when: float, callback: Any, *args: Any) -> asyncio.TimerHandle:
        if armed:
            again.set()
        armed.append(call_at(clock, when, callback, *args))
        return armed[-1]

    monkeypatch.setattr(Clock, "call_at", noting)
    async with listening() as here:
        reader, writer = await here.open()
        writer.write(GET[:10])
        await asyncio.wait_for(again.wait(), 5)
        idle, heading = armed
        assert idle.cancelled()
        writer.write(GET[10:])
        await reader.readuntil(b"xx")
        assert heading.cancelled()
        writer.close()


async def test_a_connection_on_which_nothing_comes_is_closed_without_a_word() -> None:
    async with listening(header_timeout=SOON) as here:
        assert await here.said() == b""


async def test_empty_lines_are_no_request() -> None:
    async with listening(header_timeout=SOON) as here:
        assert problem(await here.said(b"\r\n\r\n")) == (408, "/problems/too-slow")


@pytest.mark.parametrize(
    "pieces",
    [
        [b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"a" * 1000 + b"\r\n\r\n"],
        [b"GET /" + b"a" * 1000 + b" HTTP/1.1\r\nhost: x\r\n\r\n"],
        [b"GET / HTTP/1.1\r\n", *[b"a: b\r\n"] * 200],
        [b"GET / HTTP/1.1\r\na: " + b"a" * 2000],
        [b"\r\n" * 1000],
    ],
    ids=["one large", "a long line", "many small", "one without end", "empty lines"],
)
async def test_headers_have_a_size(pieces: list[bytes]) -> None:
    async with listening(max_header=1000) as here:
        assert problem(await here.said(*pieces)) == (431, "/problems/headers-too-large")
        assert not here.served


async def test_headers_of_just_that_size_are_served() -> None:
    async with listening(max_header=1000) as here:
        reader, writer = await here.open()
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"a" * 950 + b"\r\n\r\n")
        assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_megabyte_of_headers_is_refused_in_words_all_the_same() -> None:
    """To close at once, with the caller still sending, would cut off what it was told."""
    async with listening(max_header=1000) as here:
        assert problem(await here.said(*[b"GET / HTTP/1.1\r\n"], *[b"a: b\r\n" * 1000] * 150))[0] == 431


@pytest.mark.parametrize("said", [b"hello\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"])
async def test_what_is_not_http_is_refused(said: bytes) -> None:
    async with listening() as here:
        assert problem(await here.said(said)) == (400, "/problems/malformed")
        assert not here.served


async def test_garbage_behind_a_request_does_not_spoil_its_answer() -> None:
    async with listening() as here:
        said = await here.said(GET + b"garbage\r\n\r\n")
        assert said.startswith(b"HTTP/1.1 200")
        assert said.endswith(b"xx")
        assert said.count(b"HTTP/1.1") == 1


async def test_a_wish_for_another_protocol_is_served_as_if_it_were_none() -> None:
    async with listening() as here:
        reader, writer = await here.open()
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
        assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_connections_of_one_address_have_a_number() -> None:
    async with listening(max_connections_per_address=2) as here:
        first, second = await here.open(), await here.open()
        for reader, writer in (first, second):
            writer.write(GET)
            await reader.readuntil(b"xx")
        assert await here.said() == b""
        assert here.refused("connections-of-address") == 1
        here.connections.somebody_left.clear()
        first[1].close()
        await here.connections.somebody_left.wait()
        reader, writer = await here.open()
        writer.write(GET)
        assert (await reader.readuntil(b"xx")).startswith(b"HTTP/1.1 200")
        for each in (writer, second[1]):
            each.close()


async def test_connections_in_all_have_a_number() -> None:
    async with listening(max_connections=1) as here:
        reader, writer = await here.open()
        writer.write(GET)
        await reader.readuntil(b"xx")
        assert await here.said() == b""
        assert here.refused("connections") == 1
        writer.close()


async def test_a_caller_that_is_answered_before_its_body_has_come_may_read_why() -> None:
    """And then the connection ends, instead of taking a body that nobody wants."""
    async with listening() as here:
        reader, writer = await here.open()
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 60000\r\n\r\n")
        await reader.readuntil(b"xx")
        writer.write(b"x" * 30_000)
        await writer.drain()
        assert await reader.read() == b""
        writer.close()


async def test_a_body_that_is_too_large_is_refused_in_words_while_it_is_still_being_sent() -> None:
    async with listening(read_body=True) as here:
        reader, writer = await here.open()
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10000000\r\n\r\n")
        for _ in range(20):
            writer.write(b"x" * 65_536)
        assert (await reader.read()).startswith(b"HTTP/1.1 413")
        writer.close()


async def test_a_reader_that_takes_nothing_is_cut_off() -> None:
    async with listening(size=16 * 1024 * 1024, body_timeout=SOON) as here:
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.setblocking(False)  # noqa: FBT003 - the standard library's own
            loop = asyncio.get_running_loop()
            await loop.sock_connect(slow, ("127.0.0.1", here.port))
            await loop.sock_sendall(slow, GET)
            await here.connections.somebody_left.wait()
        assert here.refused("stalled") == 1


async def test_a_reader_that_takes_its_time_is_not() -> None:
    async with listening(size=4 * 1024 * 1024, body_timeout=SOON) as here:
        reader, writer = await here.open()
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n")
        assert len(await reader.readexactly(4 * 1024 * 1024)) == 4 * 1024 * 1024
        assert not here.refused("stalled")
        writer.close()


async def test_every_request_can_ask_whether_its_answer_may_be_sent() -> None:
    async with listening(max_unsent=1) as here:
        reader, writer = await here.open()
        writer.write(GET)
        await reader.readuntil(b"xx")
        with pytest.raises(Unavailable):
            here.served[0]["state"][ADMIT](SMALL + 1)
        writer.close()


async def test_a_drained_connection_says_that_it_closes() -> None:
    async with listening() as here:
        reader, writer = await here.open()
        writer.write(GET)
        await reader.readuntil(b"xx")
        await here.connections.drain()
        assert await reader.read() == b""
        writer.close()
        assert len(here.connections) == 0


class Secure:
    """An authority, a server's context, and a caller's, who may show a certificate."""

    def __init__(self) -> None:
        authority = trustme.CA()
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(self.server)
        authority.configure_trust(self.server)
        self.server.verify_mode = ssl.CERT_OPTIONAL
        self.client = ssl.create_default_context()
        authority.configure_trust(self.client)
        self.certificate = authority.issue_cert("person@example.org")


@pytest.mark.parametrize("shown", [True, False])
async def test_the_certificate_that_the_other_side_shows_is_in_the_scope(*, shown: bool) -> None:
    """The ASGI extension `tls`."""
    secure = Secure()
    if shown:
        secure.certificate.configure_cert(secure.client)
    async with listening(context=secure.server) as here:
        reader, writer = await asyncio.open_connection("127.0.0.1", here.port, ssl=secure.client, server_hostname="localhost")
        writer.write(GET)
        await reader.readuntil(b"xx")
        writer.close()
        chain = here.served[0]["extensions"]["tls"]["client_cert_chain"]
        assert chain == ([secure.certificate.cert_chain_pems[0].bytes().decode()] if shown else [])
        assert here.served[0]["scheme"] == "https"


async def test_what_is_refused_is_refused_over_tls_too() -> None:
    secure = Secure()
    async with listening(context=secure.server) as here:
        reader, writer = await asyncio.open_connection("127.0.0.1", here.port, ssl=secure.client, server_hostname="localhost")
        writer.write(b"garbage\r\n\r\n")
        assert problem(await reader.read()) == (400, "/problems/malformed")
        writer.close()


async def test_without_tls_there_is_none() -> None:
    async with listening() as here:
        reader, writer = await here.open()
        writer.write(GET)
        await reader.readuntil(b"xx")
        writer.close()
        assert "extensions" not in here.served[0]

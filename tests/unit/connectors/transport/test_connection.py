"""One connection: what comes on it is the answer to the call that it carries, or nothing; and when it may be trusted."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from unittest.mock import Mock

import pytest

from esclusa.connectors.transport import HttpClient, Limits, Origin, Request, RequestTemplate, Response
from esclusa.connectors.transport.call import Call
from esclusa.connectors.transport.connection import Connection
from esclusa.kernel.clock import Clock
from esclusa.testing.hostile import Peer, answer, hostile
from unit.connectors.transport.calling import Outcomes, body, error, get, outcome, post, turns, until
from unit.connectors.transport.hand_clock import HandClock
from unit.connectors.transport.listener import Listener

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def listener() -> Iterator[Listener]:
    with contextlib.closing(Listener()) as back:
        yield back


async def first_call(client: HttpClient, clock: Clock, back: Listener) -> socket.socket:
    """A connection that has served one call, seen by the back end."""
    outcomes = Outcomes()
    client.send(get("/first"), clock.now() + 10, outcomes)
    peer = await asyncio.to_thread(back.accept)
    await asyncio.to_thread(peer.recv, 10_000)
    peer.sendall(answer(b"first"))
    assert body(await outcomes.wait()) == b"first"
    assert client.idle == 1
    return peer


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("request_", [get(), post()])
async def test_a_connection_closed_meanwhile_is_seen_before_anything_is_sent(
    listener: Listener, request_: Request, reset: bool
) -> None:
    """Even if the loop has not turned since: so that a request that may not be repeated is not lost."""
    clock = Clock()
    async with HttpClient(listener.origin, clock) as client:
        peer = await first_call(client, clock, listener)
        if reset:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()
        outcomes = Outcomes()
        client.send(request_, clock.now() + 10, outcomes)
        second = await asyncio.to_thread(listener.accept)
        await asyncio.to_thread(second.recv, 10_000)
        second.sendall(answer(b"second"))
        assert body(await outcomes.wait()) == b"second"


async def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_calls(listener: Listener) -> None:
    """It lies in the socket when the next call comes, and the loop has not turned since."""
    clock = Clock()
    async with HttpClient(listener.origin, clock) as client:
        peer = await first_call(client, clock, listener)
        peer.sendall(answer(b"stolen"))
        outcomes = Outcomes()
        client.send(get(), clock.now() + 10, outcomes)
        second = await asyncio.to_thread(listener.accept)
        await asyncio.to_thread(second.recv, 10_000)
        second.sendall(answer(b"honest"))
        assert body(await outcomes.wait()) == b"honest"


async def test_bytes_that_come_unasked_close_the_connection(listener: Listener) -> None:
    clock = HandClock()  # by which it is never unused for too long
    async with HttpClient(listener.origin, clock) as client:
        peer = await first_call(client, clock, listener)
        peer.sendall(b"H")
        await until(lambda: client.connections == 0)
        assert client.idle == 0


@pytest.mark.parametrize("surplus", [answer(b"stolen"), b"H", b"junk"])
@pytest.mark.parametrize("waiting", [False, True])
async def test_what_comes_with_an_answer_is_never_anothers(surplus: bytes, waiting: bool) -> None:
    """In one piece with the answer, with and without a call that waits for the connection."""

    async def script(peer: Peer) -> None:
        request = await peer.request()
        await peer.send(answer(request.split()[1]) + surplus)
        assert await peer.request() == b""

    async with hostile(script) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock, limits=Limits(connections=1)) as client:
            paths = [f"/{number}" for number in range(5)]
            if waiting:
                ended = await asyncio.gather(*(outcome(client, clock, get(path)) for path in paths))
            else:
                ended = [await outcome(client, clock, get(path)) for path in paths]
            assert [body(one) for one in ended] == [path.encode() for path in paths]
            assert back.accepted == 5


async def test_a_body_where_there_is_none_is_never_anothers() -> None:
    async def script(peer: Peer) -> None:
        while request := await peer.request():
            if request.startswith(b"HEAD"):
                await peer.send(answer(answer(b"stolen")))
            else:
                await peer.send(answer(b"honest"))

    async with hostile(script) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            assert body(await outcome(client, clock, Request("HEAD", "/"))) == b""
            assert body(await outcome(client, clock)) == b"honest"


async def test_head_and_get_share_a_connection() -> None:
    async def script(peer: Peer) -> None:
        while request := await peer.request():
            whole = answer(b"hello")
            await peer.send(whole[:-5] if request.startswith(b"HEAD") else whole)

    async with hostile(script) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            for _ in range(3):
                assert body(await outcome(client, clock, Request("HEAD", "/"))) == b""
                assert body(await outcome(client, clock)) == b"hello"
            assert back.accepted == 1


def stale_once(*, begin: bytes = b"", reset: bool = False) -> tuple[list[bytes], object]:
    """A back end that serves one call a connection and then closes it when the next request has come."""
    seen: list[bytes] = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.request())
        await peer.send(answer(b"%d" % peer.number))
        if request := await peer.request():
            seen.append(request)
            await peer.send(begin)
            if reset:
                peer.reset()

    return seen, script


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_what_is_idempotent_is_sent_again_once_on_a_new_connection(method: str, reset: bool) -> None:
    seen, script = stale_once(reset=reset)
    async with hostile(script) as back:  # type: ignore[arg-type]  # a script
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            await outcome(client, clock)
            assert isinstance(await outcome(client, clock, Request(method, "/again")), Response)
            assert back.accepted == 2
            assert [request.split()[1] for request in seen] == [b"/x", b"/again", b"/again"]


@pytest.mark.parametrize(
    "template", [RequestTemplate("POST"), RequestTemplate("PATCH"), RequestTemplate("GET", idempotent=False)]
)
async def test_what_is_not_idempotent_is_not_sent_again(template: RequestTemplate) -> None:
    seen, script = stale_once()
    async with hostile(script) as back:  # type: ignore[arg-type]  # a script
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            await outcome(client, clock)
            failed = error(await outcome(client, clock, Request(template, "/again")))
            assert (failed.kind, failed.sent) == ("closed", True)
            assert (back.accepted, len(seen)) == (1, 2)


async def test_what_is_declared_idempotent_is_sent_again() -> None:
    _, script = stale_once()
    async with hostile(script) as back:  # type: ignore[arg-type]  # a script
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            await outcome(client, clock)
            assert body(await outcome(client, clock, Request(RequestTemplate("POST", idempotent=True), "/", body=b"x"))) == b"1"


@pytest.mark.parametrize("begin", [b"H", OK, OK + b"content-length: 5\r\n\r\nhel", b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_once_an_answer_has_begun_nothing_is_sent_again(begin: bytes) -> None:
    _, script = stale_once(begin=begin)
    async with hostile(script) as back:  # type: ignore[arg-type]  # a script
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            await outcome(client, clock)
            assert error(await outcome(client, clock)).kind == "closed"
            assert back.accepted == 1


@pytest.mark.parametrize("reset", [False, True])
async def test_a_new_connection_that_is_closed_is_not_tried_again(reset: bool) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        if reset:
            peer.reset()

    async with hostile(script) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            failed = error(await outcome(client, clock))
            assert (failed.kind, failed.sent) == ("closed", True)
            assert back.accepted == 1
            assert client.connections == 0


async def test_the_second_sending_is_the_last() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        if peer.number == 0:
            await peer.send(answer())
            await peer.request()

    async with hostile(script) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            await outcome(client, clock)
            assert error(await outcome(client, clock)).kind == "closed"
            assert back.accepted == 2


async def test_the_second_sending_keeps_the_deadline() -> None:
    again = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        if peer.number == 0:
            await peer.send(answer())
            await peer.request()
        else:
            again.set()
            await peer.gone()

    async with hostile(script) as back:
        clock = HandClock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            await outcome(client, clock)
            outcomes = Outcomes()
            client.send(get(), clock.now() + 3, outcomes)
            await again.wait()
            assert not outcomes
            clock.move(3)
            failed = error(outcomes[0])
            assert (failed.kind, failed.sent, back.accepted) == ("timeout", True, 2)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"", "closed"),
        (OK + b"content-length: 9\r\n\r\nhello", "closed"),
        (OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", "closed"),
        (OK + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "protocol"),
        (b"\0\1\2\3" * 100, "protocol"),
        (OK + b"x: " + b"y" * 70_000, "too_large"),
        (OK + b"\r\n" + b"y" * 300_000, "too_large"),
        (OK + b"content-encoding: br\r\ncontent-length: 1\r\n\r\nx", "protocol"),
    ],
)
async def test_a_bad_answer_is_an_error_and_the_next_call_works(said: bytes, kind: str) -> None:
    async def script(peer: Peer) -> None:
        while request := await peer.request():
            await peer.send(said if b"/bad" in request else answer(b"fine"))
            if b"/bad" in request and kind == "closed":
                return

    async with hostile(script) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            failed = error(await outcome(client, clock, get("/bad")))
            assert (failed.kind, failed.sent) == (kind, True)
            assert body(await outcome(client, clock)) == b"fine"


async def test_an_answer_cut_at_any_byte_is_an_error_or_whole() -> None:
    whole = b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"

    async def script(peer: Peer) -> None:
        at = int((await peer.request()).split()[1][1:])
        await peer.send(whole[:at])
        if at % 2:
            await turns(5)
            peer.reset()

    async with hostile(script) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            for at in range(len(whole)):
                assert error(await outcome(client, clock, get(f"/{at}"))).kind == "closed"
            assert body(await outcome(client, clock, get(f"/{len(whole)}"))) == b"hello"


async def test_an_answer_before_the_request_is_whole_ends_the_connection() -> None:
    """The back end refuses without reading on: the answer stands, and the rest of the request is not the next one's start."""

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.send(answer(b"%d" % peer.number, b"413 Content Too Large"))
        await peer.gone()

    async with hostile(script) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            assert body(await outcome(client, clock, post(bytes(20_000_000)))) == b"0"
            assert client.idle == 0
            assert body(await outcome(client, clock)) == b"1"


async def test_a_back_end_that_does_not_read_is_left_at_the_deadline() -> None:
    stop = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.send(b"")
        await stop.wait()

    async with hostile(script) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            assert error(await outcome(client, clock, post(bytes(20_000_000)), seconds=0.1)).kind == "timeout"
            await until(lambda: client.connections == 0)
        stop.set()


async def test_calls_that_wait_do_not_get_a_connection_that_closes(listener: Listener) -> None:
    """The answer and the end of the connection come in the same moment, and another call waits for it."""
    clock = Clock()
    async with HttpClient(listener.origin, clock, limits=Limits(connections=1)) as client:
        outcomes = Outcomes()
        for number in range(4):
            client.send(post(b"%d" % number), clock.now() + 10, outcomes)
        for number in range(4):
            peer = await asyncio.to_thread(listener.accept)
            request = await asyncio.to_thread(peer.recv, 10_000)
            peer.sendall(answer(request[-1:]))
            peer.close()
            assert body(await outcomes.wait(number + 1)) == b"%d" % number


def test_a_new_connection_that_is_closing_already_says_why_and_that_nothing_was_sent(listener: Listener) -> None:
    owner = Mock()
    transport = Mock(asyncio.Transport)
    transport.is_closing.return_value = True
    transport.get_extra_info.return_value = listener.listening
    connection = Connection(owner, b"h", Limits())
    connection.connection_made(transport)
    call = Call(get(), 1.0, Outcomes(), owner)
    assert connection.carry(call)
    connection.connection_lost(ssl.SSLError(1, "alert"))
    owner.lost.assert_called_once_with(connection, call, connection.failure, stale=False)
    assert connection.failure is not None
    assert connection.failure.kind == "tls"
    assert not call.sent
    assert not connection.carry(call)
    transport.write.assert_not_called()


def test_a_kept_connection_that_is_closing_is_not_even_looked_at(listener: Listener) -> None:
    """Its descriptor may be another's by now."""
    transport = Mock(asyncio.Transport)
    transport.get_extra_info.return_value = listener.listening
    transport.get_write_buffer_size.return_value = 0
    transport.is_closing.return_value = False
    connection = Connection(Mock(), b"h", Limits())
    connection.connection_made(transport)
    assert connection.carry(Call(get(), 1.0, Outcomes(), Mock()))
    connection.data_received(answer())
    transport.is_closing.return_value = True
    assert not connection.carry(Call(get(), 1.0, Outcomes(), Mock()))
    assert transport.write.call_count == 1

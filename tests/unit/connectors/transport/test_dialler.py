"""Connections are made to an address that may be called, by TLS where the origin says so, and within the call's time."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from unittest.mock import AsyncMock, Mock

import pytest
import trustme

from esclusa.connectors.transport import Address, HttpClient, HttpError, Limits, Origin, Response, client_context
from esclusa.connectors.transport.connection import Connection
from esclusa.connectors.transport.dialler import Dialler
from esclusa.connectors.transport.resolver import Resolver
from esclusa.kernel.clock import Clock
from unit.connectors.transport.scripted import (
    HandClock,
    Outcomes,
    Peer,
    always,
    answer,
    back_end,
    get,
    local,
    outcome,
    turns,
    until,
)
from unit.connectors.transport.trust import Trust, server

HERE = ip_address("127.0.0.1")
ALSO_HERE = ip_address("127.0.0.2")


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    return Trust(tmp_path_factory.mktemp("trust"))


def error(ended: Response | HttpError) -> HttpError:
    assert isinstance(ended, HttpError)
    return ended


def found(*addresses: str) -> Callable[[str], list[Address]]:
    return lambda _: [ip_address(address) for address in addresses]


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port of 127.0.0.1 that never takes a connection, and never refuses one: its backlog is full."""
    with socket.socket() as listening, socket.socket() as filler:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        filler.connect(listening.getsockname())
        yield listening.getsockname()[1]


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def dialler(clock: Clock) -> Dialler:
    return Dialler(Origin("http", "h", 80), clock, Resolver("h", clock, local), tls=None, name="h", allow=None)


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


async def test_a_refused_connection() -> None:
    clock = Clock()
    async with HttpClient(Origin("http", "127.0.0.1", closed_port()), clock) as client:
        failed = error(await outcome(client, clock))
        assert (failed.kind, failed.detail, failed.sent) == ("connect", "the connection was refused", False)
        assert client.connections == 0


async def test_addresses_are_tried_in_turn() -> None:
    """The first refuses (an IPv6 address that nothing listens on, or that this machine doesn't have): the next is tried."""
    async with back_end(always(answer())) as back:
        clock = HandClock()
        origin = Origin("http", "dgt.example", back.port)
        async with HttpClient(origin, clock, lookup=found("::1", "127.0.0.3", "127.0.0.1")) as client:
            assert isinstance(await outcome(client, clock), Response)


async def test_a_dead_address_costs_a_head_start_only(deaf: int) -> None:
    with socket.create_server(("127.0.0.2", deaf)) as living:
        living.settimeout(10)
        clock = HandClock()
        async with HttpClient(Origin("http", "dgt.example", deaf), clock, lookup=found("127.0.0.1", "127.0.0.2")) as client:
            outcomes = Outcomes()
            client.send(get(), clock.now() + 10, outcomes)
            await until(lambda: clock.timers == 2)  # the deadline, and the head start
            await turns()
            clock.move(0.25)
            peer, _ = await asyncio.to_thread(living.accept)
            with peer:
                peer.settimeout(10)
                await asyncio.to_thread(peer.recv, 10_000)
                peer.sendall(answer())
                assert isinstance(await outcomes.wait(), Response)


async def test_when_no_address_takes_it_the_call_fails_as_soon_as_that_is_known() -> None:
    """And the next call looks the name up anew: it may have moved."""
    asked = []

    def lookup(host: str) -> list[Address]:
        asked.append(host)
        return [HERE, ALSO_HERE]

    clock = HandClock()
    tasks = asyncio.all_tasks()
    async with HttpClient(Origin("http", "dgt.example", closed_port()), clock, lookup=lookup) as client:
        for number in (1, 2):
            assert error(await outcome(client, clock)).kind == "connect"
            assert len(asked) == number
            await until(lambda: asyncio.all_tasks() == tasks)
        assert client.connections == 0


async def test_while_one_address_may_still_take_it_there_is_hope(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second refuses while the first keeps silent."""
    clock = HandClock()
    go = asyncio.Event()
    refused = asyncio.Event()

    async def connected(_: object, address: Address) -> socket.socket:
        if address == ALSO_HERE:
            refused.set()
            raise ConnectionRefusedError(111, "")
        await go.wait()
        return socket.socket()

    monkeypatch.setattr(Dialler, "_connected", connected)
    reaching = asyncio.create_task(dialler(clock)._reach([HERE, ALSO_HERE]))
    await until(lambda: clock.timers == 1)
    clock.move(0.25)
    await refused.wait()
    await turns()
    assert not reaching.done()
    go.set()
    (await reaching).close()


async def test_of_two_that_win_at_once_one_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = HandClock()
    go = asyncio.Event()
    made = []

    async def connected(_: object, __: Address) -> socket.socket:
        await go.wait()
        made.append(socket.socket())
        return made[-1]

    monkeypatch.setattr(Dialler, "_connected", connected)
    reaching = asyncio.create_task(dialler(clock)._reach([HERE, ALSO_HERE]))
    await until(lambda: clock.timers == 1)
    clock.move(0.25)
    await turns()
    go.set()
    with await reaching as winner:
        assert len(made) == 2
        assert [sock.fileno() >= 0 for sock in made] == [sock is winner for sock in made]


async def test_a_race_that_is_given_up_leaves_nothing(deaf: int) -> None:
    clock = HandClock()
    async with HttpClient(Origin("http", "dgt.example", deaf), clock, lookup=found("127.0.0.1", "127.0.0.1")) as client:
        before = descriptors()
        call = client.send(get(), clock.now() + 10, Outcomes())
        await turns()
        call.abort()
        await until(lambda: client.connections == 0)
        await turns()
        assert descriptors() <= before


async def test_an_address_that_may_not_be_called_is_not() -> None:
    asked = []

    def allow(address: Address) -> bool:
        asked.append(address)
        return not address.is_loopback

    async with back_end(always(answer())) as back:
        clock = Clock()
        for host in ("127.0.0.1", "::ffff:127.0.0.1", "innocent.example"):
            async with HttpClient(Origin("http", host, back.port), clock, allow=allow, lookup=local) as client:
                failed = error(await outcome(client, clock))
                assert (failed.kind, failed.sent) == ("connect", False)
        assert back.accepted == 0
        assert set(asked) == {HERE}


async def test_of_several_addresses_those_that_may_be_called_are() -> None:
    async with back_end(always(answer())) as back:
        clock = HandClock()
        origin = Origin("http", "dgt.example", back.port)
        lookup = found("127.0.0.9", "127.0.0.1")
        async with HttpClient(origin, clock, allow=lambda address: address == HERE, lookup=lookup) as client:
            assert isinstance(await outcome(client, clock), Response)


async def test_at_most_eight_addresses_are_tried_the_families_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = HandClock()
    tried = []

    async def refused(_: object, address: Address) -> socket.socket:
        tried.append(str(address))
        raise ConnectionRefusedError(111, "")

    monkeypatch.setattr(Dialler, "_connected", refused)
    lookup = found("::1", "::1", "::2", *[f"127.0.0.{number}" for number in range(1, 20)])
    async with HttpClient(Origin("http", "dgt.example", 80), clock, lookup=lookup) as client:
        assert error(await outcome(client, clock)).kind == "connect"
    assert tried == ["::1", "127.0.0.1", "::2", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.6"]


async def call_over_tls(
    trust: Trust, certificate: trustme.LeafCert, *, host: str = "dgt.example", name: str | None = None, ca: str | None = None
) -> Response | HttpError:
    """One call to a back end with this certificate."""
    async with back_end(always(answer()), tls=server(certificate)) as back:
        clock = Clock()
        context = client_context(ca=ca or trust.ca_file)
        origin = Origin("https", host, back.port)
        async with HttpClient(origin, clock, tls=context, name=name, lookup=local) as client:
            ended = await outcome(client, clock)
            if isinstance(ended, HttpError):
                assert client.connections == 0
                assert not ended.sent
            return ended


async def test_a_verified_back_end_answers(trust: Trust) -> None:
    assert isinstance(await call_over_tls(trust, trust.ca.issue_cert("dgt.example")), Response)
    assert isinstance(await call_over_tls(trust, trust.ca.issue_cert("127.0.0.1"), host="127.0.0.1"), Response)
    assert isinstance(await call_over_tls(trust, trust.ca.issue_cert("inner.example"), name="inner.example"), Response)


async def test_a_certificate_that_is_not_right_is_refused(trust: Trust) -> None:
    now = datetime.now(UTC)
    cases = {
        "for another name": trust.ca.issue_cert("other.example"),
        "has expired": trust.ca.issue_cert("dgt.example", not_before=now - timedelta(9), not_after=now - timedelta(1)),
        "not valid yet": trust.ca.issue_cert("dgt.example", not_before=now + timedelta(1), not_after=now + timedelta(9)),
        "an authority that is not trusted": trustme.CA().issue_cert("dgt.example"),
        "self-signed": trust.self_signed("dgt.example"),
    }
    for words, certificate in cases.items():
        failed = error(await call_over_tls(trust, certificate))
        assert failed.kind == "tls"
        assert words in failed.detail


async def test_an_address_in_a_certificate_is_checked(trust: Trust) -> None:
    failed = error(await call_over_tls(trust, trust.ca.issue_cert("127.0.0.2"), host="127.0.0.1"))
    assert (failed.kind, failed.detail) == ("tls", "its certificate is for another address")


async def test_mutual_tls(trust: Trust) -> None:
    async with back_end(always(answer()), tls=server(trust.ca.issue_cert("dgt.example"), clients=trust.ca)) as back:
        clock = Clock()
        origin = Origin("https", "dgt.example", back.port)
        certificate, key = trust.client("esclusa@example.org")
        with_one = client_context(ca=trust.ca_file, certificate=certificate, key=key)
        async with HttpClient(origin, clock, tls=with_one, lookup=local) as client:
            for _ in range(3):
                assert isinstance(await outcome(client, clock), Response)
            assert client.connections == 1


async def test_a_back_end_that_wants_a_certificate_and_gets_none(trust: Trust) -> None:
    """By TLS 1.3 it says so after the handshake, which is over for us by then."""
    context = server(trust.ca.issue_cert("dgt.example"), clients=trust.ca)

    def refuse(listening: socket.socket) -> None:
        peer, _ = listening.accept()
        with peer, socket.socket(fileno=os.dup(peer.fileno())) as below:
            with pytest.raises(ssl.SSLError):
                context.wrap_socket(peer, server_side=True)
            while below.recv(10_000):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        clock = Clock()
        origin = Origin("https", "dgt.example", listening.getsockname()[1])
        refusing = asyncio.create_task(asyncio.to_thread(refuse, listening))
        async with HttpClient(origin, clock, tls=client_context(ca=trust.ca_file), lookup=local) as client:
            failed = error(await outcome(client, clock))
            assert failed.kind == "tls"
            assert "certificate required" in failed.detail
            await refusing
            assert client.connections == 0


async def test_kept_alive_over_tls(trust: Trust) -> None:
    async with back_end(always(answer()), tls=server(trust.ca.issue_cert("dgt.example"))) as back:
        clock = Clock()
        origin = Origin("https", "dgt.example", back.port)
        async with HttpClient(origin, clock, tls=client_context(ca=trust.ca_file), lookup=local) as client:
            for _ in range(20):
                assert isinstance(await outcome(client, clock), Response)
            assert back.accepted == 1


async def test_http_1_1_is_what_is_offered(trust: Trust) -> None:
    context = server(trust.ca.issue_cert("dgt.example"))
    context.set_alpn_protocols(["h2", "http/1.1"])

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.send(answer(str(peer.protocol).encode()))

    async with back_end(script, tls=context) as back:
        clock = Clock()
        origin = Origin("https", "dgt.example", back.port)
        async with HttpClient(origin, clock, tls=client_context(ca=trust.ca_file), lookup=local) as client:
            ended = await outcome(client, clock)
            assert isinstance(ended, Response)
            assert ended.body == b"http/1.1"


async def test_a_connection_made_in_the_moment_of_its_cancellation_is_closed_at_once() -> None:
    """Not in order, which the other side could draw out."""
    dialling_one = dialler(HandClock())
    made = asyncio.Event()
    with socket.socket() as sock:
        transport = Mock(asyncio.Transport)
        transport.get_extra_info.return_value = sock

        async def create_connection(factory: Callable[[], Connection], *, sock: socket.socket, **_: object) -> None:
            with sock:  # which is the loop's from here on
                factory().connection_made(transport)
                made.set()
                await asyncio.Event().wait()

        dialling_one._loop = Mock(create_connection=create_connection, sock_connect=AsyncMock())
        dialling = asyncio.create_task(dialling_one.dial(lambda: Connection(Mock(), b"h", Limits())))
        await made.wait()
        dialling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialling
        transport.abort.assert_called_once()


async def test_an_answer_without_a_length_ends_in_order_or_is_cut(trust: Trust) -> None:
    """Over TLS the end is said; a connection that just ends may have been cut by anybody."""

    async def script(peer: Peer) -> None:
        request = await peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
        await peer.sent()
        if b"/cut" in request:
            await turns(5)
            peer.cut()
            await peer.gone()

    async with back_end(script, tls=server(trust.ca.issue_cert("dgt.example"))) as back:
        clock = Clock()
        origin = Origin("https", "dgt.example", back.port)
        async with HttpClient(origin, clock, tls=client_context(ca=trust.ca_file), lookup=local) as client:
            whole = await outcome(client, clock)
            assert isinstance(whole, Response)
            assert whole.body == b"hello"
            assert error(await outcome(client, clock, get("/cut"))).kind == "closed"


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x16\x03\x03\x00\x05junk!", b"\x15\x03\x03\x00\x02\x02\x28", b""]
)
async def test_what_does_not_speak_tls_is_an_error(trust: Trust, said: bytes) -> None:
    async def script(peer: Peer) -> None:
        peer.send(said)

    async with back_end(script) as back:
        clock = Clock()
        origin = Origin("https", "dgt.example", back.port)
        async with HttpClient(origin, clock, tls=client_context(ca=trust.ca_file), lookup=local) as client:
            failed = error(await outcome(client, clock))
            assert (failed.kind, failed.sent) == ("tls", False)
            assert client.connections == 0


async def test_a_handshake_that_hangs_is_left_at_the_deadline(trust: Trust) -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.gone()
        gone.set()

    async with back_end(script) as back:
        clock = HandClock()
        origin = Origin("https", "dgt.example", back.port)
        context = client_context(ca=trust.ca_file)
        async with HttpClient(origin, clock, tls=context, lookup=local, limits=Limits(connections=1)) as client:
            outcomes = Outcomes()
            client.send(get(), clock.now() + 3, outcomes)
            await until(lambda: back.accepted == 1)
            await turns()
            clock.move(3)
            assert error(outcomes[0]).kind == "timeout"
            await gone.wait()
            await until(lambda: client.connections == 0)


async def test_a_call_aborted_at_any_moment_leaves_nothing(trust: Trust) -> None:
    """At every turn of the loop from its sending to its answer."""
    async with back_end(always(answer()), tls=server(trust.ca.issue_cert("dgt.example"))) as back:
        clock = Clock()
        origin = Origin("https", "dgt.example", back.port)
        context = client_context(ca=trust.ca_file)
        moment, ended, before = 0, False, 0
        while not ended:
            async with HttpClient(origin, clock, tls=context, lookup=local) as client:
                outcomes = Outcomes()
                call = client.send(get(), clock.now() + 10, outcomes)
                await turns(moment)
                ended = bool(outcomes)
                call.abort()
                if not ended:
                    await until(lambda: client.connections == 0)
                    await turns()
                    assert not outcomes
            await until(lambda: back.open == 0)
            before = before or descriptors()
            assert descriptors() <= before
            moment += 1
        assert moment > 5

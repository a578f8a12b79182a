"""Connections are made to an address that may be called, to the first of several that takes one; TLS is in test_tls."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from unittest.mock import AsyncMock, Mock

import pytest

from esclusa.connectors.transport import Address, HttpClient, Limits, Origin, Response
from esclusa.connectors.transport.connection import Connection
from esclusa.connectors.transport.dialler import Dialler
from esclusa.connectors.transport.resolver import Resolver
from esclusa.kernel.clock import Clock
from esclusa.testing.hostile import always, answer, hostile
from unit.connectors.transport.calling import Outcomes, descriptors, error, get, local, outcome, turns, until
from unit.connectors.transport.hand_clock import HandClock

HERE = ip_address("127.0.0.1")
ALSO_HERE = ip_address("127.0.0.2")


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
    async with hostile(always(answer())) as back:
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
    looked_up = []

    def lookup(host: str) -> list[Address]:
        looked_up.append(host)
        return [HERE, ALSO_HERE]

    clock = HandClock()
    tasks = asyncio.all_tasks()
    async with HttpClient(Origin("http", "dgt.example", closed_port()), clock, lookup=lookup) as client:
        for number in (1, 2):
            assert error(await outcome(client, clock)).kind == "connect"
            assert len(looked_up) == number
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
    judged = []

    def allow(address: Address) -> bool:
        judged.append(address)
        return not address.is_loopback

    async with hostile(always(answer())) as back:
        clock = Clock()
        for host in ("127.0.0.1", "::ffff:127.0.0.1", "innocent.example"):
            async with HttpClient(Origin("http", host, back.port), clock, allow=allow, lookup=local) as client:
                failed = error(await outcome(client, clock))
                assert (failed.kind, failed.sent) == ("connect", False)
        assert back.accepted == 0
        assert set(judged) == {HERE}


async def test_of_several_addresses_those_that_may_be_called_are() -> None:
    async with hostile(always(answer())) as back:
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

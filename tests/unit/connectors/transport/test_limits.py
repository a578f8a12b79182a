"""The bounds of a client hold."""

from __future__ import annotations

import asyncio

from esclusa.connectors.transport import HttpClient, HttpError, Limits, Origin, Response
from esclusa.kernel.clock import Clock
from esclusa.testing.hostile import Peer, always, answer, hostile
from unit.connectors.transport.calling import Outcomes, get, one, outcome, turns, until
from unit.connectors.transport.hand_clock import HandClock


async def test_connections_are_bounded_and_calls_wait_in_order() -> None:
    go = asyncio.Event()
    order = []

    async def script(peer: Peer) -> None:
        while request := await peer.request():
            order.append(int(request.split()[1][1:]))
            await go.wait()
            await peer.send(answer())

    async with hostile(script) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock, limits=Limits(connections=3)) as client:
            outcomes = Outcomes()
            for number in range(30):
                client.send(get(f"/{number}"), clock.now() + 10, outcomes)
            await until(lambda: len(order) == 3)
            await turns()
            assert (back.accepted, client.connections, client.waiting) == (3, 3, 27)
            go.set()
            await outcomes.wait(30)
            assert all(isinstance(ended, Response) for ended in outcomes)
            assert back.accepted == 3
            assert sorted(order[:3]) == [0, 1, 2]
            positions = [order.index(number) for number in range(30)]
            assert all(abs(position - number) < 3 for number, position in enumerate(positions))


async def test_who_came_first_is_served_first_whatever_comes_later() -> None:
    order = []

    async def script(peer: Peer) -> None:
        while request := await peer.request():
            order.append(request.split()[1].decode())
            await peer.send(answer())

    async with hostile(script) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock, limits=Limits(connections=1)) as client:
            outcomes = Outcomes()

            def pushy(ended: Response | HttpError) -> None:
                outcomes(ended)
                client.send(get("/late"), clock.now() + 10, outcomes)

            client.send(get("/1"), clock.now() + 10, pushy)
            for number in (2, 3, 4):
                client.send(get(f"/{number}"), clock.now() + 10, outcomes)
            await outcomes.wait(5)
            assert order == ["/1", "/2", "/3", "/4", "/late"]


async def test_beyond_the_queue_a_call_is_refused_as_busy() -> None:
    async def script(peer: Peer) -> None:
        await peer.gone()

    async with hostile(script) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock, limits=Limits(connections=1, waiting=2)) as client:
            outcomes = Outcomes()
            calls = [client.send(get(), clock.now() + 10, outcomes) for _ in range(5)]
            await outcomes.wait(2)
            assert [ended.kind for ended in outcomes if isinstance(ended, HttpError)] == ["busy", "busy"]
            assert client.waiting == 2
            calls[1].abort()
            client.send(get(), clock.now() + 10, outcomes)
            await turns()
            assert len(outcomes) == 2


async def test_a_waiting_call_ends_at_its_deadline() -> None:
    async def script(peer: Peer) -> None:
        await peer.gone()

    async with hostile(script) as back:
        clock = HandClock()
        async with HttpClient(Origin.of(back.url), clock, limits=Limits(connections=1)) as client:
            outcomes = Outcomes()
            client.send(get(), clock.now() + 20, Outcomes())
            client.send(get(), clock.now() + 5, outcomes)
            await until(lambda: back.accepted == 1)
            clock.move(5)
            assert isinstance(outcomes[0], HttpError)
            assert (outcomes[0].kind, outcomes[0].sent) == ("timeout", False)
            assert "no connection became free" in outcomes[0].detail
            assert client.waiting == 0


async def test_a_failed_connection_makes_room() -> None:
    async def script(peer: Peer) -> None:
        if b"/bad" in await peer.request():
            peer.reset()
        else:
            await peer.send(answer())

    async with hostile(script) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock, limits=Limits(connections=1)) as client:
            bad = asyncio.gather(*(outcome(client, clock, get("/bad")) for _ in range(5)))
            good = asyncio.gather(*(outcome(client, clock) for _ in range(5)))
            assert all(isinstance(ended, HttpError) for ended in await bad)
            assert all(isinstance(ended, Response) for ended in await good)


async def test_no_connection_is_kept_with_no_idle_time() -> None:
    async with hostile(always(answer())) as back:
        clock = HandClock()
        async with HttpClient(Origin.of(back.url), clock, limits=Limits(idle=0)) as client:
            for number in range(3):
                assert isinstance(await outcome(client, clock), Response)
                await until(lambda: client.connections == 0)
                assert back.accepted == number + 1


async def test_the_bound_of_a_body_is_exact() -> None:
    assert isinstance(await one(always(answer(b"x" * 1000)), max_body=1000), Response)
    ended = await one(always(answer(b"x" * 1001)), max_body=1000)
    assert isinstance(ended, HttpError)
    assert ended.kind == "too_large"


async def test_endless_answers_are_cut() -> None:
    for head in (
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: ",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffff\r\n",
    ):

        async def script(peer: Peer, head: bytes = head) -> None:
            await peer.request()
            await peer.send(head)
            while True:
                await peer.send(b"y" * 10_000)

        ended = await one(script)
        assert isinstance(ended, HttpError)
        assert ended.kind == "too_large"

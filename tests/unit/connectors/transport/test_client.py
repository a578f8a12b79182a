"""The client of one back end: each call ends once, connections are used again, and nothing is left of either."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable
from typing import Any

import pytest

from esclusa.connectors.transport import Call, HttpClient, HttpError, Limits, Origin, Request, RequestTemplate, Response
from esclusa.connectors.transport.connection import Connection
from esclusa.connectors.transport.dialler import Dialler
from esclusa.kernel.clock import Clock
from esclusa.testing.hostile import Peer, always, answer, hostile, once, silent
from unit.connectors.transport.calling import Outcomes, descriptors, get, kind, local, one, outcome, post, turns, until
from unit.connectors.transport.hand_clock import HandClock


async def test_a_call_and_its_answer() -> None:
    seen = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.request())
        await peer.send(answer(b"{}", b"201 Created", b"Content-Type: application/json"))

    response = await one(script, Request("POST", "/x?y=1", ((b"X-A", b"1"),), b"body"))
    assert isinstance(response, Response)
    assert (response.status, response.content_type, response.body) == (201, "application/json", b"{}")
    assert seen[0].startswith(b"POST /x?y=1 HTTP/1.1\r\nhost: 127.0.0.1:")
    assert seen[0].endswith(
        b"\r\nX-A: 1\r\nuser-agent: esclusa\r\naccept: */*\r\naccept-encoding: gzip, deflate\r\ncontent-length: 4\r\n\r\nbody"
    )


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"307 Temporary", b"404 Not Found", b"500 Oh", b"999 Own"])
async def test_any_status_is_an_answer_and_redirects_are_not_followed(status: bytes) -> None:
    response = await one(always(answer(b"", status, b"location: /elsewhere")))
    assert isinstance(response, Response)
    assert response.status == int(status[:3])
    assert response.header(b"location") == b"/elsewhere"


async def test_done_is_called_later_and_once() -> None:
    async with hostile(always(answer())) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock, limits=Limits(connections=1, waiting=0)) as client:
            outcomes = Outcomes()
            client.send(get(), clock.now() + 10, outcomes)
            client.send(get(), clock.now() + 10, outcomes)
            client.send(get(), clock.now() - 1, outcomes)
            assert not outcomes
            await outcomes.wait(3)
        client.send(get(), clock.now() + 10, outcomes)
        assert len(outcomes) == 3
        await outcomes.wait(4)
        await turns()
        assert sorted(kind(ended) for ended in outcomes) == ["200", "aborted", "busy", "timeout"]
        assert not any(ended.sent for ended in outcomes if isinstance(ended, HttpError))


async def test_done_may_send_again() -> None:
    async with hostile(always(answer())) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            outcomes = Outcomes()

            def again(ended: Response | HttpError) -> None:
                outcomes(ended)
                if len(outcomes) < 50:
                    client.send(get(), clock.now() + 10, again)

            client.send(get(), clock.now() + 10, again)
            await outcomes.wait(50)
            assert back.accepted == 1


async def test_a_done_that_fails_is_reported_and_harms_nobody() -> None:
    reports: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, facts: reports.append(facts))
    async with hostile(always(answer())) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:

            def fails(_: Response | HttpError) -> None:
                raise KeyError("oh")

            client.send(get(), clock.now() + 10, fails)
            await until(lambda: bool(reports))
            assert isinstance(reports[0]["exception"], KeyError)
            assert kind(await outcome(client, clock)) == "200"
            assert back.accepted == 1


async def test_a_connection_is_used_again() -> None:
    async with hostile(always(answer())) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            for _ in range(5):
                assert kind(await outcome(client, clock)) == "200"
            assert (back.accepted, client.connections, client.idle) == (1, 1, 1)


@pytest.mark.parametrize(
    "last",
    [
        answer(b"x", b"200 OK", b"connection: close"),
        b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\n\r\nx",
        answer(b"x", b"200 OK", b"keep-alive: timeout=0"),
    ],
)
async def test_a_connection_that_the_back_end_ends_is_not(last: bytes) -> None:
    async with hostile(once(last)) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            for number in range(3):
                response = await outcome(client, clock)
                assert isinstance(response, Response)
                assert response.body == b"x"
                assert back.accepted == number + 1
            await until(lambda: client.connections == 0)


async def test_the_last_used_is_used_first() -> None:
    numbers = []

    async def script(peer: Peer) -> None:
        while await peer.request():
            numbers.append(peer.number)
            await peer.send(answer())

    async with hostile(script) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            await asyncio.gather(*(outcome(client, clock) for _ in range(3)))
            del numbers[:]
            for _ in range(5):
                await outcome(client, clock)
            assert len(set(numbers)) == 1


async def test_an_unused_connection_is_closed_after_its_time() -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer())
        await peer.gone()
        gone.set()

    async with hostile(script) as back:
        clock = HandClock()
        async with HttpClient(Origin.of(back.url), clock, limits=Limits(idle=30)) as client:
            assert kind(await outcome(client, clock)) == "200"
            clock.move(29)
            assert client.idle == 1
            clock.move(1)
            assert client.idle == 0
            await gone.wait()
            await until(lambda: client.connections == 0)


async def test_a_connection_is_closed_before_the_back_end_closes_it() -> None:
    async with hostile(always(answer(b"x", b"200 OK", b"keep-alive: timeout=5"))) as back:
        clock = HandClock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            assert kind(await outcome(client, clock)) == "200"
            clock.move(4)
            assert client.idle == 0


async def test_a_connection_that_closes_while_unused_is_dropped() -> None:
    async with hostile(once(answer())) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            for number in range(3):
                assert kind(await outcome(client, clock, post())) == "200"
                await until(lambda: client.connections == 0)
                assert (back.accepted, client.idle) == (number + 1, 0)


async def test_close_ends_calls_and_connections() -> None:
    async with hostile(silent) as back:
        clock = HandClock()
        client = HttpClient(Origin.of(back.url), clock, limits=Limits(connections=2))
        outcomes = Outcomes()
        for _ in range(4):
            client.send(get(), clock.now() + 10, outcomes)
        await until(lambda: back.accepted == 2)
        await client.close()
        assert [kind(ended) for ended in outcomes] == ["aborted"] * 4
        assert (client.connections, clock.timers) == (0, 0)
        await client.close()


async def test_close_while_connecting() -> None:
    async with hostile(silent) as back:
        clock = Clock()
        client = HttpClient(Origin.of(back.url), clock)
        outcomes = Outcomes()
        client.send(get(), clock.now() + 10, outcomes)
        await client.close()
        assert [kind(ended) for ended in outcomes] == ["aborted"]
        assert client.connections == 0


async def test_a_call_whose_making_of_a_connection_is_cancelled_ends() -> None:
    """As when a loop cancels all of its tasks on its way out."""
    with socket.socket() as deaf, socket.socket() as filler:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        filler.connect(deaf.getsockname())
        clock = HandClock()
        client = HttpClient(Origin("http", "127.0.0.1", deaf.getsockname()[1]), clock)
        outcomes = Outcomes()
        client.send(get(), clock.now() + 10, outcomes)
        await turns()
        for task in asyncio.all_tasks():
            if task.get_name().startswith("dial http://127.0.0.1:"):
                task.cancel()
        assert kind(await outcomes.wait()) == "aborted"
        await client.close()


async def test_what_was_not_foreseen_ends_the_call_and_is_reported() -> None:
    reports: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, facts: reports.append(facts))

    def broken(_: object) -> bool:
        raise KeyError("oh")

    clock = Clock()
    async with HttpClient(Origin("http", "127.0.0.1", 1), clock, allow=broken) as client:
        assert kind(await outcome(client, clock)) == "connect"
        assert isinstance(reports[0]["exception"], KeyError)


async def test_a_connection_that_is_lost_before_it_could_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def dial(_: Dialler, make: Callable[[], Connection]) -> Connection:
        connection = make()
        connection.connection_lost(None)
        return connection

    monkeypatch.setattr(Dialler, "dial", dial)
    clock = Clock()
    async with HttpClient(Origin("http", "127.0.0.1", 80), clock) as client:
        failed = await outcome(client, clock, post())
        assert isinstance(failed, HttpError)
        assert (failed.kind, failed.sent, client.connections) == ("closed", False, 0)


async def test_nothing_is_leaked() -> None:
    """Of everything that can happen to a call, many times over: no descriptor, no task, no object."""
    said = {b"/cut": answer()[:-2], b"/garbage": b"\0" * 100, b"/surplus": answer() * 2, b"/fine": answer(), b"/reset": b""}

    async def script(peer: Peer) -> None:
        while request := await peer.request():
            path = request.split()[1]
            if path == b"/hang":
                await peer.gone()
                return
            await peer.send(said[path])
            if path == b"/reset":
                peer.reset()
            if path == b"/cut":
                return

    async with hostile(script) as back:
        clock = Clock()
        template = RequestTemplate("GET")

        async def round_of_calls() -> None:
            async with HttpClient(
                Origin("http", "here.example", back.port), clock, limits=Limits(connections=8), lookup=local
            ) as client:
                outcomes = Outcomes()
                paths = ["/hang", "/reset", "/cut", "/garbage", "/surplus", "/fine"] * 5
                calls = [client.send(Request(template, path), clock.now() + 5, outcomes) for path in paths]
                await until(lambda: len(outcomes) >= 3 or client.waiting == 0)
                for call in calls[::2]:
                    call.abort()
                await until(lambda: len(outcomes) >= 5)

        await round_of_calls()
        await turns(100)
        gc.collect()
        before = descriptors(), len(asyncio.all_tasks()), len([thing for thing in gc.get_objects() if isinstance(thing, Call)])
        for _ in range(10):
            await round_of_calls()
        await turns(100)
        gc.collect()
        after = descriptors(), len(asyncio.all_tasks()), len([thing for thing in gc.get_objects() if isinstance(thing, Call)])
        assert after <= before

"""The client of one back end: calls that end once and in time, and connections that are used again."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esclusa.connectors.transport import Call, HttpClient, HttpError, Limits, Origin, Request, Response, Template
from esclusa.connectors.transport.connection import Connection
from esclusa.connectors.transport.dialler import Dialler
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
    once,
    one,
    outcome,
    post,
    turns,
    until,
)


async def silent(peer: Peer) -> None:
    """Reads, and says nothing."""
    await peer.gone()


def kind(outcome: Response | HttpError) -> str:
    return outcome.kind if isinstance(outcome, HttpError) else str(outcome.status)


async def test_a_call_and_its_answer() -> None:
    seen = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.request())
        peer.send(answer(b"{}", b"201 Created", b"Content-Type: application/json"))

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
    async with back_end(always(answer())) as back:
        clock = Clock()
        async with HttpClient(back.origin, clock, limits=Limits(connections=1, waiting=0)) as client:
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
    async with back_end(always(answer())) as back:
        clock = Clock()
        async with HttpClient(back.origin, clock) as client:
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
    async with back_end(always(answer())) as back:
        clock = Clock()
        async with HttpClient(back.origin, clock) as client:

            def fails(_: Response | HttpError) -> None:
                raise KeyError("oh")

            client.send(get(), clock.now() + 10, fails)
            await until(lambda: bool(reports))
            assert isinstance(reports[0]["exception"], KeyError)
            assert kind(await outcome(client, clock)) == "200"
            assert back.accepted == 1


async def test_a_call_with_no_time_left_is_not_made() -> None:
    async with back_end(always(answer())) as back:
        clock = HandClock()
        async with HttpClient(back.origin, clock) as client:
            assert kind(await outcome(client, clock, seconds=0)) == "timeout"
            assert client.connections == 0


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\nx:", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe", b"HTTP/1.1 100 C\r\n\r\n"]
)
async def test_a_hanging_back_end_is_left_at_the_deadline(said: bytes) -> None:
    told, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.send(said)
        told.set()
        await peer.gone()
        gone.set()

    async with back_end(script) as back:
        clock = HandClock()
        async with HttpClient(back.origin, clock) as client:
            outcomes = Outcomes()
            client.send(get(), clock.now() + 10, outcomes)
            await told.wait()
            await turns()
            clock.move(9.99)
            assert not outcomes
            clock.move(0.01)
            assert isinstance(outcomes[0], HttpError)
            assert (outcomes[0].kind, outcomes[0].sent) == ("timeout", True)
            await gone.wait()
            await until(lambda: client.connections == 0)


async def test_a_trickle_does_not_move_the_deadline() -> None:
    clock = HandClock()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        for _ in range(100):
            peer.send(b"x")
            await peer.sent()
            await turns(3)
            clock.move(0.5)

    async with back_end(script) as back, HttpClient(back.origin, clock) as client:
        assert kind(await outcome(client, clock, seconds=10)) == "timeout"
        assert clock.now() - 1_800_000_000 <= 10.5


async def test_each_of_many_calls_ends_at_its_own_time() -> None:
    async with back_end(silent) as back:
        clock = HandClock()
        start = clock.now()
        async with HttpClient(back.origin, clock, limits=Limits(connections=3)) as client:
            ended: dict[int, float] = {}
            for seconds in (5, 3, 9, 1, 7, 2):

                def done(outcome: Response | HttpError, seconds: int = seconds) -> None:
                    assert kind(outcome) == "timeout"
                    ended[seconds] = clock.now() - start

                client.send(get(), start + seconds, done)
            await until(lambda: back.accepted == 3)
            assert clock.timers == 1
            for _ in range(10):
                clock.move(1)
                await turns()
            assert list(ended) == sorted(ended)
            assert all(abs(seconds - at) < 0.01 for seconds, at in ended.items())
            await until(lambda: client.connections == 0)
            assert clock.timers == 0


async def test_the_loops_own_timers_serve() -> None:
    async with back_end(silent) as back:
        clock = Clock()
        async with HttpClient(back.origin, clock) as client:
            by = clock.now() + 0.05
            assert kind(await outcome(client, clock, seconds=0.05)) == "timeout"
            assert clock.now() >= by - 0.002


async def test_a_connection_that_is_not_made_in_time() -> None:
    """A full backlog: the system of the back end leaves the connection without an answer."""
    with socket.socket() as deaf, socket.socket() as filler:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        filler.connect(deaf.getsockname())
        clock = HandClock()
        async with HttpClient(Origin("http", "127.0.0.1", deaf.getsockname()[1]), clock) as client:
            outcomes = Outcomes()
            client.send(get(), clock.now() + 3, outcomes)
            await turns()
            assert client.connections == 1
            clock.move(3)
            assert isinstance(outcomes[0], HttpError)
            assert (outcomes[0].kind, outcomes[0].sent) == ("timeout", False)
            assert "no connection was made" in outcomes[0].detail
            await until(lambda: client.connections == 0)


async def test_a_connection_is_used_again() -> None:
    async with back_end(always(answer())) as back:
        clock = Clock()
        async with HttpClient(back.origin, clock) as client:
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
    async with back_end(once(last)) as back:
        clock = Clock()
        async with HttpClient(back.origin, clock) as client:
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
            peer.send(answer())

    async with back_end(script) as back:
        clock = Clock()
        async with HttpClient(back.origin, clock) as client:
            await asyncio.gather(*(outcome(client, clock) for _ in range(3)))
            del numbers[:]
            for _ in range(5):
                await outcome(client, clock)
            assert len(set(numbers)) == 1


async def test_an_unused_connection_is_closed_after_its_time() -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.send(answer())
        await peer.gone()
        gone.set()

    async with back_end(script) as back:
        clock = HandClock()
        async with HttpClient(back.origin, clock, limits=Limits(idle=30)) as client:
            assert kind(await outcome(client, clock)) == "200"
            clock.move(29)
            assert client.idle == 1
            clock.move(1)
            assert client.idle == 0
            await gone.wait()
            await until(lambda: client.connections == 0)


async def test_a_connection_is_closed_before_the_back_end_closes_it() -> None:
    async with back_end(always(answer(b"x", b"200 OK", b"keep-alive: timeout=5"))) as back:
        clock = HandClock()
        async with HttpClient(back.origin, clock) as client:
            assert kind(await outcome(client, clock)) == "200"
            clock.move(4)
            assert client.idle == 0


async def test_a_connection_that_closes_while_unused_is_dropped() -> None:
    async with back_end(once(answer())) as back:
        clock = Clock()
        async with HttpClient(back.origin, clock) as client:
            for number in range(3):
                assert kind(await outcome(client, clock, post())) == "200"
                await until(lambda: client.connections == 0)
                assert (back.accepted, client.idle) == (number + 1, 0)


@pytest.mark.parametrize("stage", ["at once", "connecting", "sent", "answering", "waiting", "over"])
async def test_an_aborted_call_is_not_heard_of_again(stage: str) -> None:
    heard, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        if stage == "answering":
            peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        heard.set()
        await peer.gone()
        gone.set()

    async with back_end(always(answer()) if stage == "over" else script) as back:
        clock = Clock()
        async with HttpClient(back.origin, clock, limits=Limits(connections=1)) as client:
            outcomes, others = Outcomes(), Outcomes()
            if stage == "waiting":
                client.send(get(), clock.now() + 10, others)
            call = client.send(get(), clock.now() + 10, outcomes)
            if stage == "connecting":
                await asyncio.sleep(0)
            elif stage in {"sent", "answering", "waiting"}:
                await heard.wait()
                await turns()
            elif stage == "over":
                await outcomes.wait()
            before = len(outcomes)
            call.abort()
            call.abort()
            if stage in {"sent", "answering"}:
                await gone.wait()
            if stage == "waiting":
                assert client.waiting == 0
                assert client.connections == 1
            elif stage != "over":
                await until(lambda: client.connections == 0)
            await turns()
            assert len(outcomes) == before


async def test_a_refused_call_can_be_aborted_too() -> None:
    clock = Clock()
    client = HttpClient(Origin("http", "127.0.0.1", 1), clock)
    await client.close()
    outcomes = Outcomes()
    client.send(get(), clock.now() + 1, outcomes).abort()
    await turns()
    assert not outcomes


async def test_an_aborted_call_makes_room_for_the_next() -> None:
    async def script(peer: Peer) -> None:
        if b"/slow" in await peer.request():
            await peer.gone()
        else:
            peer.send(answer())

    async with back_end(script) as back:
        clock = Clock()
        async with HttpClient(back.origin, clock, limits=Limits(connections=1)) as client:
            slow = client.send(get("/slow"), clock.now() + 10, Outcomes())
            outcomes = Outcomes()
            client.send(get("/quick"), clock.now() + 10, outcomes)
            await until(lambda: back.accepted == 1)
            slow.abort()
            assert kind(await outcomes.wait()) == "200"


@pytest.mark.parametrize("sent", [True, False])
async def test_a_cancelled_request_is_aborted(sent: bool) -> None:
    heard, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        heard.set()
        await peer.gone()
        gone.set()

    async with back_end(script) as back:
        clock = HandClock()
        async with HttpClient(back.origin, clock) as client:
            task = asyncio.create_task(client.request(get(), clock.now() + 10))
            await (heard.wait() if sent else until(lambda: back.accepted == 1))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await gone.wait()
            await until(lambda: client.connections == 0)


async def test_done_may_abort_others() -> None:
    async with back_end(silent) as back:
        clock = HandClock()
        async with HttpClient(back.origin, clock) as client:
            calls: list[Call] = []
            heard = []

            def done(outcome: Response | HttpError) -> None:
                heard.append(outcome)
                for call in calls:
                    call.abort()

            calls += [client.send(get(), clock.now() + 5, done) for _ in range(5)]
            await until(lambda: back.accepted == 5)
            clock.move(5)
            assert len(heard) == 1


async def test_close_ends_calls_and_connections() -> None:
    async with back_end(silent) as back:
        clock = HandClock()
        client = HttpClient(back.origin, clock, limits=Limits(connections=2))
        outcomes = Outcomes()
        for _ in range(4):
            client.send(get(), clock.now() + 10, outcomes)
        await until(lambda: back.accepted == 2)
        await client.close()
        assert [kind(ended) for ended in outcomes] == ["aborted"] * 4
        assert (client.connections, clock.timers) == (0, 0)
        await client.close()


async def test_close_while_connecting() -> None:
    async with back_end(silent) as back:
        clock = Clock()
        client = HttpClient(back.origin, clock)
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


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_nothing_is_leaked() -> None:
    """Of everything that can happen to a call, many times over: no descriptor, no task, no object."""
    said = {b"/cut": answer()[:-2], b"/garbage": b"\0" * 100, b"/surplus": answer() * 2, b"/fine": answer(), b"/reset": b""}

    async def script(peer: Peer) -> None:
        while request := await peer.request():
            path = request.split()[1]
            if path == b"/hang":
                await peer.gone()
                return
            peer.send(said[path])
            if path == b"/reset":
                peer.reset()
            if path == b"/cut":
                return

    async with back_end(script) as back:
        clock = Clock()
        template = Template("GET")

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

"""A call is over by its time, whatever the back end does; and an aborted one leaves nothing."""

from __future__ import annotations

import asyncio
import socket

import pytest

from esclusa.connectors.transport import Call, HttpClient, HttpError, Limits, Origin, Response
from esclusa.kernel.clock import Clock
from esclusa.testing.hostile import Peer, always, answer, hostile, silent
from unit.connectors.transport.calling import Outcomes, get, kind, outcome, turns, until
from unit.connectors.transport.hand_clock import EPOCH, HandClock


class Recorder:
    """Takes calls back."""

    def __init__(self) -> None:
        self.aborted: list[Call] = []

    def abort(self, call: Call) -> None:
        self.aborted.append(call)


def test_a_call_is_taken_back_by_who_made_it() -> None:
    recorder = Recorder()
    call = Call(get(), 5.0, Outcomes(), recorder)
    assert (call.by, call.sent, call.place) == (5.0, False, None)
    call.abort()
    assert recorder.aborted == [call]


def test_a_call_is_small() -> None:
    """There is one for every question: slots, and no dictionary."""
    assert not hasattr(Call(get(), 5.0, Outcomes(), Recorder()), "__dict__")


async def test_a_call_with_no_time_left_is_not_made() -> None:
    async with hostile(always(answer())) as back:
        clock = HandClock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            assert kind(await outcome(client, clock, seconds=0)) == "timeout"
            assert client.connections == 0


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\nx:", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe", b"HTTP/1.1 100 C\r\n\r\n"]
)
async def test_a_hanging_back_end_is_left_at_the_deadline(said: bytes) -> None:
    told, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(said)
        told.set()
        await peer.gone()
        gone.set()

    async with hostile(script) as back:
        clock = HandClock()
        async with HttpClient(Origin.of(back.url), clock) as client:
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
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        for _ in range(100):
            await peer.send(b"x")
            await turns(3)
            clock.move(0.5)

    async with hostile(script) as back, HttpClient(Origin.of(back.url), clock) as client:
        assert kind(await outcome(client, clock, seconds=10)) == "timeout"
        assert clock.now() - EPOCH <= 10.5


async def test_each_of_many_calls_ends_at_its_own_time() -> None:
    async with hostile(silent) as back:
        clock = HandClock()
        start = clock.now()
        async with HttpClient(Origin.of(back.url), clock, limits=Limits(connections=3)) as client:
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
    async with hostile(silent) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock) as client:
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


@pytest.mark.parametrize("stage", ["at once", "connecting", "sent", "answering", "waiting", "over"])
async def test_an_aborted_call_is_not_heard_of_again(stage: str) -> None:
    heard, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        if stage == "answering":
            await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        heard.set()
        await peer.gone()
        gone.set()

    async with hostile(always(answer()) if stage == "over" else script) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock, limits=Limits(connections=1)) as client:
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
            await peer.send(answer())

    async with hostile(script) as back:
        clock = Clock()
        async with HttpClient(Origin.of(back.url), clock, limits=Limits(connections=1)) as client:
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

    async with hostile(script) as back:
        clock = HandClock()
        async with HttpClient(Origin.of(back.url), clock) as client:
            task = asyncio.create_task(client.request(get(), clock.now() + 10))
            await (heard.wait() if sent else until(lambda: back.accepted == 1))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await gone.wait()
            await until(lambda: client.connections == 0)


async def test_done_may_abort_others() -> None:
    async with hostile(silent) as back:
        clock = HandClock()
        async with HttpClient(Origin.of(back.url), clock) as client:
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

"""Of a client that is looked at, what it sends and what comes is told, and its calls end as they would."""

from __future__ import annotations

from esclusa.connectors.http.tapped import TappedClient
from esclusa.connectors.tap import Tap
from esclusa.connectors.transport import HttpClient, Origin
from esclusa.testing.hostile import always, answer, hostile
from unit.connectors.transport.calling import Outcomes, kind, post, until
from unit.connectors.transport.hand_clock import HandClock


def tapped(url: str) -> tuple[TappedClient, HandClock, Tap]:
    clock = HandClock()
    tap, origin = Tap(clock), Origin.of(url)
    return TappedClient(HttpClient(origin, clock), origin, tap), clock, tap


async def test_both_are_told_as_they_go_over_the_wire() -> None:
    said = answer("ñ".encode("latin-1"), b"200 OK", b"content-type: text/plain; charset=latin1", b"x: y")
    async with hostile(always(said)) as back:
        client, clock, tap = tapped(back.url)
        outcomes = Outcomes()
        client.send(post(b"body"), clock.now() + 10, outcomes)
        assert kind(await outcomes.wait()) == "200"
        await client.close()
    sent, came = tap.steps
    first, *fields = sent.head.split("\n")
    assert (sent.kind, first, sent.body) == ("request", f"POST {back.url}/x", "body")
    assert "content-length: 4" in fields
    assert (came.kind, came.body) == ("answer", "ñ")
    assert came.head.startswith("200\n")
    assert "\nx: y" in came.head


async def test_why_none_came_is_told() -> None:
    client, clock, tap = tapped("http://127.0.0.1:9")
    outcomes = Outcomes()
    client.send(post(), clock.now() + 10, outcomes)
    assert kind(await outcomes.wait()) == "connect"
    await client.close()
    assert (tap.steps[-1].kind, tap.steps[-1].head) == ("failed", "connect: the connection was refused; nothing was sent")


async def test_one_that_is_under_way_when_all_is_over_had_no_answer() -> None:
    async with hostile("silence") as back:
        client, clock, tap = tapped(back.url)
        outcomes = Outcomes()
        client.send(post(), clock.now() + 10, outcomes)
        await until(lambda: back.accepted > 0)
        await client.close()
    assert kind(outcomes[-1]) == "aborted"
    assert tap.steps[-1].head == "no answer had come when the call was over"

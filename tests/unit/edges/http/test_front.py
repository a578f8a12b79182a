"""What every request and every answer passes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from esclusa.edges.http.front import SECURITY, TRACE, Front
from esclusa.edges.http.settings import ServerSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.errors import NotFound
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument, Level
from support.asgi import Exchange
from support.sink import Sink

SETTINGS = ServerSettings(max_body=100, body_timeout=Duration(10))
THEIRS = "4bf92f3577b34da6a3ce929d0e0e4736"


def front(app: Callable[..., Any], logged: Sink | None = None) -> tuple[Front, Instrument]:
    clock = Clock()
    instrument = (Sink() if logged is None else logged).instrument()
    return Front(app, SETTINGS, clock, Ids(clock), instrument), instrument


async def echo(_: Any, receive: Any, send: Any) -> None:
    """Reads the body whole, and says it back."""
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message["more_body"]:
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def test_every_answer_bears_its_trace_and_the_security_headers() -> None:
    app, _ = front(echo)
    heard = await Exchange(app, headers={"traceparent": f"00-{THEIRS}-00f067aa0ba902b7-01"})()
    assert heard.headers["traceresponse"].split("-")[1] == THEIRS
    for name, value in SECURITY:
        assert heard.headers[name.decode()] == value.decode()


async def test_an_answer_may_bring_its_own() -> None:
    async def page(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"no-cache")]})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    app, _ = front(page)
    heard = await Exchange(app)()
    assert heard.headers["cache-control"] == "no-cache"
    assert heard.headers["x-content-type-options"] == "nosniff"


async def test_the_trace_is_in_the_scope() -> None:
    app, _ = front(echo)
    exchange = Exchange(app)
    heard = await exchange()
    assert exchange.scope["state"][TRACE].id == heard.headers["traceresponse"].split("-")[1]


@pytest.mark.parametrize(("pieces", "status"), [([b"x" * 100], 200), ([b"x" * 101], 413), ([b"x" * 60, b"x" * 60], 413)])
async def test_a_body_has_a_size(pieces: list[bytes], status: int) -> None:
    app, _ = front(echo)
    heard = await Exchange(app, "POST", body=pieces)()
    assert heard.status == status


async def test_a_body_that_is_said_to_be_too_large_is_not_read() -> None:
    app, _ = front(echo)
    exchange = Exchange(app, "POST", headers={"content-length": "101"}, body=[b"x" * 101])
    heard = await exchange()
    assert heard.status == 413
    assert heard.json()["type"] == "/problems/too-large"
    assert exchange._pieces


@pytest.mark.virtual_time
async def test_a_body_has_a_time() -> None:
    app, _ = front(echo)
    began = asyncio.get_running_loop().time()
    heard = await Exchange(app, "POST", body=[b"x"], whole=False)()
    assert heard.status == 408
    assert heard.json()["type"] == "/problems/too-slow"
    assert asyncio.get_running_loop().time() - began == pytest.approx(10)


@pytest.mark.virtual_time
async def test_the_time_of_a_body_is_not_that_of_its_answer() -> None:
    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        gone = asyncio.ensure_future(receive())
        await asyncio.wait({gone}, timeout=30)
        assert not gone.done()
        gone.cancel()
        await echo(scope, lambda: asyncio.sleep(0, {"body": b"", "more_body": False}), send)

    app, _ = front(slow)
    assert (await Exchange(app)()).status == 200


async def test_a_path_has_a_length() -> None:
    """The router remembers paths, so a caller could fill memory with long ones."""
    app, _ = front(echo)
    assert (await Exchange(app, target="/" + "x" * 1023)()).status == 200
    assert (await Exchange(app, target="/" + "x" * 1024)()).status == 404


async def test_a_refusal_that_nobody_answered_becomes_a_problem() -> None:
    async def refuse(*_: Any) -> None:
        raise NotFound

    app, _ = front(refuse)
    heard = await Exchange(app)()
    assert (heard.status, heard.headers["content-type"]) == (404, "application/problem+json")
    assert heard.json()["traceId"] == heard.headers["traceresponse"].split("-")[1]


async def test_what_nobody_expected_is_a_500_whose_message_is_told_to_nobody() -> None:
    async def fail(*_: Any) -> None:
        raise KeyError("12345678Z")

    logged = Sink()
    app, _ = front(fail, logged)
    heard = await Exchange(app)()
    assert (heard.status, heard.json()["type"]) == (500, "/problems/internal")
    (facts,) = [facts for level, event, facts in logged if level == Level.ERROR and event == "http failed"]
    assert facts["trace"] == heard.json()["traceId"]
    assert facts["error"] == "KeyError"
    assert any("test_front.py" in place for place in facts["at"])
    assert "12345678Z" not in heard.body.decode() + str(logged)


async def test_half_an_answer_is_cut() -> None:
    async def half(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    app, _ = front(half)
    exchange = Exchange(app)
    with pytest.raises(ZeroDivisionError):
        await exchange()
    assert not exchange.heard.over


async def test_every_answer_is_counted_by_the_address_as_described() -> None:
    async def routed(scope: Any, receive: Any, send: Any) -> None:
        scope["path_template"] = "/api/v1/requests/{id}"
        await echo(scope, receive, send)

    app, instrument = front(routed)
    await Exchange(app, target="/api/v1/requests/1")()
    await Exchange(app, target="/api/v1/requests/2")()
    values = instrument.counters["esclusa_http_requests_total"].values
    assert values == {("/api/v1/requests/{id}", "GET", "200"): 2}
    assert sum(instrument.histograms["esclusa_http_request_seconds"].values[("/api/v1/requests/{id}",)][:-1]) == 2

"""Routing, and what becomes of errors."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from litestar.exceptions import HTTPException, LitestarException
from litestar.response.base import ASGIResponse

from esclusa.edges.http.app import make_app, refused_of
from esclusa.edges.http.held import EventStream
from esclusa.edges.http.openapi import Operation, Reply, Route
from esclusa.edges.http.settings import ServerSettings
from esclusa.kernel import errors
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import Refused
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument, Level
from support.asgi import Exchange, Heard


def operation(method: str, path: str, media: str = "application/json") -> Operation:
    return Operation(id=method, method=method, path=path, tag="x", summary="x", replies={200: Reply("x", media=media)})


async def call(method: str, target: str, media: str = "application/json", headers: dict[str, str] | None = None) -> Heard:
    async def serve(request: Any) -> ASGIResponse:
        return ASGIResponse(body=request.scope["path_params"]["id"].encode())

    routes = [Route(operation("GET", "/x/{id}", media), serve), Route(operation("DELETE", "/x/{id}"), serve)]
    clock = Clock()
    app = make_app(routes, ServerSettings(), clock, Ids(clock), Instrument())
    return await Exchange(app, method, target, headers)()


async def test_a_route_is_served() -> None:
    heard = await call("GET", "/x/a%20b")
    assert (heard.status, heard.body) == (200, b"a b")


async def test_what_can_be_got_can_be_looked_at_by_head() -> None:
    assert (await call("HEAD", "/x/1")).status == 200


async def test_a_stream_can_not() -> None:
    assert (await call("HEAD", "/x/1", "text/event-stream")).status == 405


async def test_an_unknown_address_is_a_problem() -> None:
    heard = await call("GET", "/nowhere")
    assert (heard.status, heard.json()["type"]) == (404, "/problems/not-found")
    assert heard.headers["content-type"] == "application/problem+json"


async def test_an_unknown_method_is_a_problem_that_says_which_are_served() -> None:
    heard = await call("PATCH", "/x/1")
    assert (heard.status, heard.json()["type"]) == (405, "/problems/method-not-allowed")
    assert heard.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"


async def test_which_methods_are_served_can_be_asked() -> None:
    heard = await call("OPTIONS", "/x/1")
    assert (heard.status, heard.headers["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS")


async def test_a_stream_that_breaks_is_cut_and_said_by_its_own_name() -> None:
    async def broken() -> AsyncGenerator[bytes, None]:
        yield b""
        raise ZeroDivisionError

    async def serve(_: Any) -> ASGIResponse:
        return EventStream(broken(), clock)

    clock, logged = Clock(), []
    instrument = Instrument(lambda _, event, facts: logged.append((event, facts)), Level.ERROR)
    routes = [Route(operation("GET", "/x", "text/event-stream"), serve)]
    exchange = Exchange(make_app(routes, ServerSettings(), clock, Ids(clock), instrument), target="/x")
    with pytest.raises(LitestarException):
        await exchange()
    assert not exchange.heard.over
    ((event, facts),) = logged
    assert (event, facts["error"]) == ("http failed", "ZeroDivisionError")


async def test_a_host_that_is_none_is_a_problem() -> None:
    heard = await call("GET", "/x/1", headers={"host": "a b"})
    assert (heard.status, heard.json()["type"]) == (400, "/problems/malformed")


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (errors.InvalidParams(), errors.InvalidParams),
        (errors.StorageUnavailable("x"), errors.Unavailable),
        (errors.Closed("x"), errors.Unavailable),
        (HTTPException(status_code=404), errors.NotFound),
        (HTTPException(status_code=405), errors.MethodNotAllowed),
        (HTTPException(status_code=400), errors.Malformed),
        (HTTPException(status_code=413), errors.TooLarge),
        (HTTPException(status_code=500), errors.Internal),
        (ZeroDivisionError(), errors.Internal),
        (errors.Unreadable("x"), errors.Internal),
    ],
)
def test_what_an_error_comes_down_to(error: Exception, refused: type[Refused]) -> None:
    assert type(refused_of(error)) is refused

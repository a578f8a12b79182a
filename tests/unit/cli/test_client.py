"""The service as the command line reaches it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from esclusa.cli.client import AGAIN, PACE, WAIT, Away, Client, Service, connected, service
from esclusa.cli.exits import Exit
from esclusa.cli.output import Failed
from esclusa.edges.http.server import SOCKET
from esclusa.edges.http.wire import ReceiptBody, SnapshotBody, SubmissionBody
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import ConfigurationError
from support.service import ID, Reply, Stub, ok, problem, receipt, result

RECEIPT = msgspec.convert(receipt(), ReceiptBody)
FIRST, LAST = result([ok("dgt")], ["padron"]), result([ok("dgt"), ok("padron")])


def client(handler: Callable[[httpx.Request], httpx.Response], clock: Clock) -> Client:
    http = httpx.AsyncClient(base_url="http://hub.example", transport=httpx.MockTransport(handler))
    return Client(http, Service("http://hub.example"), clock)


def scripted(*replies: httpx.Response | Exception) -> tuple[Callable[[httpx.Request], httpx.Response], list[httpx.Request]]:
    due, requests = list(replies), list[httpx.Request]()

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        reply = due.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    return handler, requests


def found(body: Any, tag: str) -> httpx.Response:
    return httpx.Response(200, json=body, headers={"etag": f'"{tag}"'})


async def failing(work: Any) -> Failed:
    with pytest.raises(Failed) as caught:
        await work
    return caught.value


@pytest.mark.virtual_time
async def test_a_request_is_followed_by_long_polls_until_it_is_final() -> None:
    handler, requests = scripted(found(FIRST, "1"), httpx.Response(304), found(LAST, "2"))
    snapshots = [each async for each in client(handler, Clock()).follow(RECEIPT)]
    assert [each.query_more for each in snapshots] == [True, False]
    assert [request.url.path for request in requests] == [f"/api/v1/requests/{ID}"] * 3
    assert [request.headers.get("prefer") for request in requests] == [None, f"wait={WAIT}", f"wait={WAIT}"]
    assert [request.headers.get("if-none-match") for request in requests] == [None, '"1"', '"1"']


@pytest.mark.virtual_time
async def test_it_is_not_polled_faster_than_anybody_reads() -> None:
    clock = Clock()
    handler, _ = scripted(*(found(FIRST, str(tag)) for tag in range(5)), found(LAST, "last"))
    began = clock.now()
    assert len([each async for each in client(handler, clock).follow(RECEIPT)]) == 6
    assert clock.now() - began == pytest.approx(5 * PACE)


@pytest.mark.virtual_time
async def test_a_service_that_goes_away_is_asked_again_until_the_deadline() -> None:
    clock = Clock()
    handler, _ = scripted(found(FIRST, "1"), httpx.ConnectError("refused"), httpx.ReadError(""), found(LAST, "2"))
    began = clock.now()
    assert [each.query_more async for each in client(handler, clock).follow(RECEIPT)] == [True, False]
    assert clock.now() - began == pytest.approx(2 * AGAIN + PACE)


@pytest.mark.virtual_time
async def test_and_says_that_it_is_away_and_when_it_is_back_is_told_all_at_once() -> None:
    clock = Clock()
    handler, requests = scripted(found(FIRST, "1"), httpx.ConnectError("refused"), found(FIRST, "1"), found(LAST, "2"))
    until = clock.now() + 10
    news = [each async for each in client(handler, clock).news(RECEIPT)]
    assert [type(each) for each in news] == [SnapshotBody, Away, SnapshotBody, SnapshotBody]
    assert isinstance(news[1], Away)
    assert news[1].until == pytest.approx(until)
    assert "if-none-match" not in requests[2].headers


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    "said",
    [
        pytest.param(httpx.Response(502, content=b"<html>bad gateway"), id="a proxy that finds nobody"),
        pytest.param(httpx.Response(503, json=problem("unavailable", "Not now", 503)), id="a process without its storage"),
    ],
)
async def test_what_will_pass_counts_as_away(said: httpx.Response) -> None:
    handler, _ = scripted(found(FIRST, "1"), said, found(LAST, "2"))
    news = [each async for each in client(handler, Clock()).news(RECEIPT)]
    assert [type(each) for each in news] == [SnapshotBody, Away, SnapshotBody]


@pytest.mark.virtual_time
async def test_and_not_after_it() -> None:
    clock = Clock()

    def handler(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    began = clock.now()
    failed = await failing(anext(client(handler, clock).follow(RECEIPT)))
    assert failed.code is Exit.UNREACHABLE
    assert 10 - 1e-3 < clock.now() - began <= 10 + 2 * AGAIN  # seconds since the epoch are a little coarse


@pytest.mark.virtual_time
async def test_a_request_that_is_gone_ends_the_following() -> None:
    gone = httpx.Response(404, json=problem("not-found", "There is nothing here", 404))
    handler, _ = scripted(found(FIRST, "1"), gone)
    following = client(handler, Clock()).follow(RECEIPT)
    await anext(following)
    assert (await failing(anext(following))).code is Exit.REFUSED


async def test_a_question_can_be_sent_again_by_whoever_stands_between() -> None:
    handler, requests = scripted(*(httpx.Response(202, json=receipt()) for _ in range(2)))
    for _ in range(2):
        await client(handler, Clock()).submit(SubmissionBody(query="q", subject="x"))
    keys = [request.headers["idempotency-key"] for request in requests]
    assert keys[0] != keys[1], "each question has its own"


async def test_a_problem_is_told_with_all_that_is_wrong_and_kept_as_it_came() -> None:
    errors = [{"pointer": "/params/province", "message": "Required"}, {"pointer": "/subject", "message": "\x1b[2J"}]
    body = problem("invalid-params", "The parameters do not fit the query", 422, detail="Look", errors=errors)
    handler, _ = scripted(httpx.Response(422, json=body))
    failed = await failing(client(handler, Clock()).submit(SubmissionBody(query="q", subject="x")))
    assert failed.code is Exit.REFUSED
    assert str(failed).splitlines()[:2] == [
        "The parameters do not fit the query: Look",
        "  province: Required",
    ]
    assert msgspec.json.decode(msgspec.json.encode(failed.document)) == body


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"[1, 2]", b'{"status": "live'])
async def test_what_is_no_esclusa_is_told_so(body: bytes) -> None:
    handler, _ = scripted(httpx.Response(200, content=body))
    failed = await failing(client(handler, Clock()).health())
    assert failed.code is Exit.REFUSED
    assert str(failed).startswith("what answers at http://hub.example/health/ready is no Esclusa, or another version")


async def test_an_error_of_something_in_between_is_told_by_its_status() -> None:
    handler, _ = scripted(httpx.Response(502, content=b"<html>bad gateway"))
    assert str(await failing(client(handler, Clock()).queries())) == "the service answered 502 Bad Gateway"


async def test_nobody_there_is_told_with_the_address() -> None:
    handler, _ = scripted(httpx.ConnectTimeout(""))
    failed = await failing(client(handler, Clock()).queries())
    assert (failed.code, str(failed)) == (Exit.UNREACHABLE, "nobody answers at http://hub.example: no answer in time")


@pytest.mark.parametrize(
    ("below", "why"),
    [
        (ConnectionRefusedError(111, "words of a library"), "the connection is refused"),
        (socket.gaierror(-2, "words of a library"), "there is no such host"),
        (ssl.SSLError("words of a library"), "no encrypted connection can be made, or its certificate is not trusted"),
        (OSError("words of a library"), "the connection can't be made"),
    ],
)
async def test_and_why_in_words_of_our_own(below: Exception, why: str) -> None:
    error = httpx.ConnectError("words of a library")
    error.__cause__ = below
    handler, _ = scripted(error)
    assert str(await failing(client(handler, Clock()).queries())) == f"nobody answers at http://hub.example: {why}"


@pytest.mark.parametrize(
    ("key", "what"),
    [(None, "wants a key: set ESCLUSA_KEY or give --key"), ("wrong", "knows no such key: look at ESCLUSA_KEY or --key")],
)
async def test_a_key_that_is_missing_or_wrong_is_told_with_where_to_give_it(key: str | None, what: str) -> None:
    body = problem("unauthorized", "Who asks is not known", 401, detail="Send `Authorization: Bearer KEY`")
    transport = httpx.MockTransport(lambda _: httpx.Response(401, json=body))
    http = httpx.AsyncClient(base_url="http://hub.example", transport=transport)
    failed = await failing(Client(http, Service("http://hub.example", key=key), Clock()).queries())
    assert (failed.code, str(failed)) == (Exit.REFUSED, f"the service {what}")


async def test_a_connector_that_is_wrong_is_told_by_its_name() -> None:
    errors = [{"pointer": "/connectors/1", "message": "The query does not ask it"}, {"pointer": "", "message": "Too odd"}]
    body = problem("invalid-params", "The parameters do not fit the query", 422, errors=errors)
    handler, _ = scripted(httpx.Response(422, json=body))
    question = SubmissionBody(query="q", subject="x", connectors=["dgt", "padron"])
    failed = await failing(client(handler, Clock()).submit(question))
    assert str(failed).splitlines()[1:] == ["  padron: The query does not ask it", "  Too odd"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hub.example",
        "ftp://hub.example",
        "http://hub.example:port",
        "http://[::",
        "http://",
        "http://me:hunter2@hub.example",
    ],
)
def test_a_url_that_is_none_is_a_mistake(url: str) -> None:
    with pytest.raises(Failed) as caught:
        service(Path("none.toml"), url, None, {})
    assert caught.value.code is Exit.MISTAKE
    assert str(caught.value).startswith("--url is no address of a service")
    assert "hunter2" not in str(caught.value)


async def test_a_process_of_this_machine_is_reached_by_its_socket_without_a_key(stub: Stub, here: Path) -> None:
    where = service(Path("esclusa.toml"), None, "a key for somewhere else", {})
    assert where == Service("http://localhost", socket=here / "data" / SOCKET)
    async with connected(where, Clock()) as hub:
        assert [query.name for query in (await hub.queries()).queries] == ["expedientes"]
    assert "authorization" not in stub.received[0].headers


async def test_with_no_process_there_it_says_how_to_start_one(here: Path) -> None:
    async with connected(service(Path("esclusa.toml"), None, None, {}), Clock()) as hub:
        failed = await failing(hub.queries())
    assert failed.code is Exit.UNREACHABLE
    assert str(failed) == (
        f'no process answers at {here}/data/{SOCKET}: start one with "esclusa run", or name a service with --url'
    )


async def test_a_service_by_its_url_gets_the_key() -> None:
    where = service(Path("none.toml"), "https://hub.example/", "the key of sede", {})
    assert where == Service("https://hub.example", key="the key of sede")
    async with connected(where, Clock()) as hub:
        assert hub._http.headers["authorization"] == "Bearer the key of sede"


def test_a_key_that_no_header_can_carry_is_a_mistake_and_is_not_shown() -> None:
    with pytest.raises(Failed) as caught:
        service(Path("none.toml"), "https://hub.example", "hunter2\n", {})
    assert caught.value.code is Exit.MISTAKE
    assert "hunter2" not in str(caught.value)


def test_a_configuration_that_is_not_there_is_told_so(here: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: can't be read: no such file: write one"):
        service(here / "none.toml", None, None, {})


async def test_a_submission_is_sent_as_the_api_takes_it(stub: Stub) -> None:
    stub.replies("POST", "/api/v1/requests", Reply(receipt(), 202))
    async with connected(service(Path("esclusa.toml"), None, None, {}), Clock()) as hub:
        taken = await hub.submit(SubmissionBody(query="expedientes", subject="12345678Z", connectors=["dgt"]))
    assert str(taken.id) == ID
    assert stub.received[0].headers["content-type"] == "application/json"
    body = msgspec.json.decode(stub.received[0].body)
    assert body == {"query": "expedientes", "subject": "12345678Z", "params": {}, "connectors": ["dgt"]}

"""What has not changed need not come again; what is remembered is bounded, and gone in time (H10)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from esclusa.connectors.assembly import make_backend
from esclusa.connectors.backend import Backend, Outcome, Question
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.rest.revalidation import Revalidation
from esclusa.connectors.rest.settings import RevalidateSettings
from esclusa.connectors.transport import HttpError, Request, Response
from esclusa.kernel.duration import Duration
from esclusa.kernel.ids import Ids
from esclusa.testing.hostile import Peer, answer, hostile
from unit.connectors.transport.hand_clock import HandClock

KEEP = 60.0
OF_THE_CALL = {b"x-request-id", b"traceparent"}


def settings(most: int = 100_000) -> RevalidateSettings:
    return RevalidateSettings(keep=Duration(KEEP), most=most)


def marked(body: bytes = b"1", *further: tuple[bytes, bytes], etag: bytes = b'"one"', status: int = 200) -> Response:
    return Response(status, [(b"etag", etag), *further], body)


def get(target: str = "/people/1", *headers: tuple[bytes, bytes]) -> Request:
    return Request("GET", target, headers)


def heard(one: Revalidation, request: Request, response: Response | HttpError) -> Response | HttpError:
    _, condition = one.condition(request)
    return condition.answer(response)


def asks_for(one: Revalidation, request: Request) -> dict[bytes, bytes]:
    """The conditions with which it goes out."""
    sent, _ = one.condition(request)
    return {name: value for name, value in sent.headers if name.startswith(b"if-")}


async def test_an_answer_that_is_marked_is_asked_for_if_it_has_changed_and_stands_if_not() -> None:
    one = Revalidation(settings(), HandClock(), OF_THE_CALL)
    assert asks_for(one, get()) == {}
    first = marked(b"1")
    assert heard(one, get(), first) is first
    assert asks_for(one, get()) == {b"if-none-match": b'"one"'}
    assert heard(one, get(), Response(304, [], b"")) == first
    changed = marked(b"2", etag=b'W/"two"')
    assert heard(one, get(), changed) is changed
    assert asks_for(one, get()) == {b"if-none-match": b'W/"two"'}
    one.close()


async def test_a_time_of_change_will_do_where_there_is_no_tag() -> None:
    one = Revalidation(settings(), HandClock(), OF_THE_CALL)
    when = b"Mon, 23 Nov 2026 08:00:00 GMT"
    heard(one, get(), Response(200, [(b"last-modified", when)], b"1"))
    assert asks_for(one, get()) == {b"if-modified-since": when}
    one.close()


async def test_only_what_was_asked_for_in_the_same_way_is_the_same() -> None:
    one = Revalidation(settings(), HandClock(), OF_THE_CALL)
    heard(one, get("/people/1", (b"X-Office", b"28"), (b"X-Request-Id", b"a")), marked())
    assert asks_for(one, get("/people/1", (b"X-Office", b"28"), (b"X-Request-Id", b"b")))
    assert not asks_for(one, get("/people/2", (b"X-Office", b"28")))
    assert not asks_for(one, get("/people/1", (b"X-Office", b"08")))
    one.close()


@pytest.mark.parametrize(
    "response",
    [
        Response(200, [], b"1"),
        marked(b"1", status=404),
        marked(b"1", (b"cache-control", b"private, No-Store")),
        marked(b"1", (b"cache-control", b"private"), (b"cache-control", b"no-store")),
        marked(b"1", (b"vary", b"*")),
        marked(b"1", (b"vary", b"accept"), (b"vary", b"*")),
        marked(b"1", (b"vary", b"accept, *")),
        marked(b"x" * 100_001),
    ],
    ids=["not marked", "an error", "not to be stored", "so by a second field", "never the same", "so", "so", "too large"],
)
async def test_what_may_not_or_can_not_be_remembered_takes_the_place_of_what_was(response: Response) -> None:
    one = Revalidation(settings(), HandClock(), OF_THE_CALL)
    heard(one, get(), marked())
    heard(one, get(), response)
    assert asks_for(one, get()) == {}
    assert one.bytes == 0
    one.close()


async def test_a_call_without_an_answer_changes_nothing() -> None:
    one = Revalidation(settings(), HandClock(), OF_THE_CALL)
    heard(one, get(), marked())
    error = HttpError("closed", "why")
    assert heard(one, get(), error) is error
    assert asks_for(one, get())
    one.close()


async def test_it_is_gone_when_its_time_is_over_though_nobody_asks() -> None:
    clock = HandClock()
    one = Revalidation(settings(), clock, OF_THE_CALL)
    heard(one, get("/a"), marked())
    clock.move(KEEP / 2)
    heard(one, get("/b"), marked())
    heard(one, get("/c"), marked())
    clock.move(KEEP / 2)
    assert (asks_for(one, get("/a")), bool(asks_for(one, get("/b")))) == ({}, True)
    heard(one, get("/b"), Response(304, [], b""))
    clock.move(KEEP / 2)
    assert (bool(asks_for(one, get("/b"))), asks_for(one, get("/c"))) == (True, {}), "it was heard of again"
    clock.move(KEEP)
    assert (one.bytes, clock.timers) == (0, 0)


async def test_it_is_bounded_and_what_was_not_heard_of_for_longest_goes_first() -> None:
    one = Revalidation(settings(most=5000), HandClock(), OF_THE_CALL)
    for name in "abcdef":
        heard(one, get(f"/{name}"), marked(b"x" * 500))
        heard(one, get("/a"), Response(304, [], b""))
        assert one.bytes <= 5000
    assert [name for name in "abcdef" if asks_for(one, get(f"/{name}"))] == ["a", "d", "e", "f"]
    one.close()
    assert one.bytes == 0


@asynccontextmanager
async def made(url: str, path: str = "/people/{subject}", headers: dict[str, str] | None = None) -> AsyncIterator[Backend]:
    clock = HandClock()
    said = RestSettings(url=url + path, headers=headers or {}, revalidate=RevalidateSettings())
    one = make_backend("dgt", said, None, Workshop(clock, Ids(clock), 1000, Contexts()))
    try:
        yield one
    finally:
        await one.close()
        assert clock.timers == 0


async def ask(one: Backend, subject: str = "1") -> Outcome:
    ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    one.ask(Question("01890a5d-ac96-774b-bcce-b302099a8057", "q", subject, {}), HandClock().now() + 20, ended.set_result)
    return await ended


async def test_the_headers_of_answers_take_no_more_than_their_share() -> None:
    one = Revalidation(settings(most=5000), HandClock(), OF_THE_CALL)
    for number in range(20):
        heard(one, get(f"/people/{number}"), marked(b"1", (b"x-large", b"x" * 60_000), (b"content-type", b"text/plain")))
    assert one.bytes <= 5000
    request, condition = one.condition(get("/people/19"))
    assert request.headers == ((b"if-none-match", b'"one"'),)
    known = condition.answer(Response(304, [], b""))
    assert isinstance(known, Response)
    assert known.headers == [(b"etag", b'"one"'), (b"content-type", b"text/plain")]
    assert not asks_for(one, get("/people/1"))
    heard(one, get("/people/x"), marked(etag=b"x" * 6000))
    assert not asks_for(one, get("/people/x"))
    one.close()


@pytest.mark.parametrize("name", ["X-Request-Id", "traceparent"])
async def test_one_person_is_not_given_what_is_anothers_wherever_the_question_names_them(name: str) -> None:
    async def script(peer: Peer) -> None:
        while asked := await peer.request():
            who = next(line for line in asked.split(b"\r\n") if line.lower().startswith(name.lower().encode()))
            unchanged = b"if-none-match" in asked.lower()  # the mark is a version, and everybody's is the first
            await peer.send(
                b'HTTP/1.1 304 Not Modified\r\netag: "1"\r\n\r\n'
                if unchanged
                else answer(b'"%b"' % who.partition(b": ")[2], b"200 OK", b'etag: "1"')
            )

    async with hostile(script) as back, made(back.url, "/file", {name: "{subject}"}) as one:
        assert (await ask(one, "ANA")).data == b'"ANA"'
        assert (await ask(one, "EVA")).data == b'"EVA"'
        assert (await ask(one, "ANA")).data == b'"ANA"', "not changed"


async def test_a_connector_asks_so_over_the_wire() -> None:
    requests: list[bytes] = []

    async def script(peer: Peer) -> None:
        while request := await peer.request():
            requests.append(request)
            same = b'if-none-match: "v1"' in request
            await peer.send(answer(b"", b"304 Not Modified") if same else answer(b'{"n": 1}', b"200 OK", b'etag: "v1"'))

    async with hostile(script) as back, made(back.url) as one:
        assert [(await ask(one, subject)).data for subject in "1112"] == [b'{"n": 1}'] * 4
    assert [b"if-none-match" in request for request in requests] == [False, True, True, False]


async def test_what_has_not_changed_though_nobody_asked_for_that_is_an_error() -> None:
    async def script(peer: Peer) -> None:
        while await peer.request():
            await peer.send(answer(b"", b"304 Not Modified"))

    async with hostile(script) as back, made(back.url) as one:
        assert (await ask(one)).detail == "It answered with status 304"

"""Tokens of OAuth 2.0: asked for once, kept, renewed before they end, and never told to anybody but the back end (H12)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

import msgspec
import pytest

from esclusa.connectors.http.oauth2 import LONGEST, PAUSE, UNSAID, YOUNG, TokenSource, TokenSources, check_parameters, check_url
from esclusa.connectors.settings import OAuth2Credentials
from esclusa.connectors.tap import Tap
from esclusa.connectors.transport import HttpError, InvalidRequest
from esclusa.kernel.duration import Duration
from esclusa.testing.hostile import Hostile, Peer, answer, hostile
from unit.connectors.transport.calling import turns, until
from unit.connectors.transport.hand_clock import HandClock

JSON = b"content-type: application/json"


class Server:
    """A server of tokens: gives `said` in turn, the last one again and again, and remembers what it was asked."""

    def __init__(self, *said: bytes) -> None:
        self.said = list(said)
        self.asked: list[bytes] = []

    async def script(self, peer: Peer) -> None:
        while request := await peer.request():
            self.asked.append(request)
            said = self.said.pop(0) if len(self.said) > 1 else self.said[0]
            if not said:
                await peer.gone()
            await peer.send(said)


def granted(token: str = "one", **further: object) -> bytes:  # noqa: S107 - of a test
    return answer(msgspec.json.encode({"access_token": token, "token_type": "Bearer", **further}), b"200 OK", JSON)


def settings(back: Hostile, **further: object) -> OAuth2Credentials:
    known = {"url": f"{back.url}/realms/spain/token", "client_id": "hub", "client_secret": "s3cr:t"}
    return OAuth2Credentials(**(known | further))  # type: ignore[arg-type]  # what each test says


@asynccontextmanager
async def source(server: Server, **further: object) -> AsyncIterator[tuple[TokenSource, HandClock]]:
    clock = HandClock()
    async with hostile(server.script) as back:
        one = TokenSource(settings(back, **further), clock, None)
        try:
            yield one, clock
        finally:
            await one.close()


async def waited(one: TokenSource) -> bytes | HttpError:
    said: asyncio.Future[bytes | HttpError] = asyncio.get_running_loop().create_future()
    one.wait(said.set_result)
    return await said


async def refused(one: TokenSource) -> str:
    said = await waited(one)
    assert isinstance(said, HttpError)
    assert said.kind == "token"
    assert not said.sent
    return said.detail


async def test_a_token_is_asked_for_as_the_standard_says() -> None:
    server = Server(granted(expires_in=3600))
    async with source(server, client_id="the hub", scope="read all", parameters={"audience": "https://dgt.example"}) as (
        one,
        _,
    ):
        assert one.token is None
        assert await waited(one) == b"Bearer one"
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /realms/spain/token HTTP/1.1\r\n")
    assert b"authorization: Basic " + base64.b64encode(b"the+hub:s3cr%3At") in head
    assert parse_qs(body.decode()) == {
        "grant_type": ["client_credentials"],
        "audience": ["https://dgt.example"],
        "scope": ["read all"],
    }


async def test_a_server_may_want_the_secret_in_the_form() -> None:
    server = Server(granted())
    async with source(server, shown="form") as (one, _):
        await waited(one)
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    assert b"authorization" not in head.lower()
    assert parse_qs(body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["hub"],
        "client_secret": ["s3cr:t"],
    }


async def test_however_many_wait_there_is_one_request() -> None:
    server = Server(granted(expires_in=60))
    async with source(server) as (one, _):
        assert await asyncio.gather(*(waited(one) for _ in range(50))) == [b"Bearer one"] * 50
    assert len(server.asked) == 1


async def test_who_no_longer_waits_is_not_told_and_the_others_are() -> None:
    server = Server(granted(expires_in=60))
    told: list[bytes | HttpError] = []
    async with source(server) as (one, _):
        take_back = one.wait(told.append)
        other = asyncio.ensure_future(waited(one))
        await asyncio.sleep(0)
        take_back()
        take_back()
        assert await other == b"Bearer one"
    assert told == []


async def test_who_is_taken_back_while_others_are_told_is_not_told() -> None:
    told: list[bytes | HttpError] = []
    async with source(Server(granted())) as (one, _):
        take_back: list[Callable[[], None]] = []
        one.wait(lambda _: take_back[0]())
        take_back.append(one.wait(told.append))
        assert await waited(one) == b"Bearer one"
    assert told == []


async def test_it_is_renewed_before_its_end_while_calls_go_on_with_the_one_before() -> None:
    server = Server(granted(expires_in=100), granted("two", expires_in="100"))
    async with source(server, early=Duration(30)) as (one, clock):
        await waited(one)
        clock.move(69)
        assert one.token is not None
        await turns()
        assert len(server.asked) == 1
        clock.move(2)
        assert one.token.header == b"Bearer one", "it is good for a while yet"
        assert one.token.header == b"Bearer one"
        await until(lambda: one.token is not None and one.token.header == b"Bearer two")
        assert len(server.asked) == 2, "once, whoever looks"


async def test_it_is_not_shown_after_its_end() -> None:
    server = Server(granted(expires_in=100), b"")
    async with source(server) as (one, clock):
        await waited(one)
        clock.move(100)
        assert one.token is None


async def test_a_short_one_is_renewed_at_half_of_its_time() -> None:
    server = Server(granted(expires_in=10), granted("two"))
    async with source(server, early=Duration(30)) as (one, clock):
        await waited(one)
        clock.move(4.9)
        assert one.token is not None
        assert (one.token.renew, one.token.until) == (clock.now() + 0.1, clock.now() + 5.1)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [({}, UNSAID), ({"expires_in": 1e300}, LONGEST), ({"expires_in": "nan"}, UNSAID), ({"expires_in": "3600"}, 3600)],
)
async def test_what_its_server_says_of_its_end_is_believed_within_bounds(said: dict[str, object], seconds: float) -> None:
    async with source(Server(granted("one", **said))) as (one, clock):
        await waited(one)
        assert one.token is not None
        assert one.token.until == clock.now() + seconds


async def test_one_that_ends_at_once_serves_who_waited_for_it() -> None:
    async with source(Server(granted(expires_in=-5))) as (one, _):
        assert await waited(one) == b"Bearer one"
        assert one.token is None


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        (answer(b'{"error": "invalid_client"}', b"401 No", JSON), "its server answered with status 401 (invalid_client)"),
        (answer(b'{"error": "your secret is s3cr:t"}', b"400 No", JSON), "its server answered with status 400"),
        (answer(b"<html>", b"503 Later"), "its server answered with status 503"),
        (answer(b"<html>", b"200 OK"), "its server answered with something else"),
        (answer(b"[" * 100_000, b"200 OK"), "its server can't be asked (too_large)"),
        (answer(b"[" * 50_000, b"200 OK"), "its server answered with something else"),
        (answer(b'{"access_token": 5}', b"200 OK"), "its server answered with something else"),
        (granted(expires_in="soon"), "its server answered with something else"),
        (granted(token_type="mac"), "its server gave one of another type than Bearer"),
        (granted(""), "its server gave an empty one"),
        (granted("one\r\nx-evil: 1"), "its server gave one that can't be sent"),
        (granted("eñe"), "its server gave one that can't be sent"),
        (b"garbage", "its server can't be asked (protocol)"),
    ],
)
async def test_why_there_is_none_is_told_in_our_words(said: bytes, detail: str) -> None:
    async with source(Server(said)) as (one, _):
        assert await refused(one) == detail


async def test_after_a_failure_its_server_is_left_alone_for_a_moment_and_then_asked_again() -> None:
    server = Server(answer(b"", b"503 Later"), granted())
    async with source(server) as (one, clock):
        await refused(one)
        assert await refused(one) == "its server answered with status 503"
        assert len(server.asked) == 1
        clock.move(PAUSE)
        assert await waited(one) == b"Bearer one"


async def test_a_renewal_that_fails_costs_nobody_anything_while_the_old_one_is_good() -> None:
    server = Server(granted(expires_in=100), answer(b"", b"503 Later"), granted("two", expires_in=100))
    async with source(server) as (one, clock):
        await waited(one)
        clock.move(80)
        assert one.token is not None
        await until(lambda: len(server.asked) == 2)
        await turns()
        for _ in range(5):
            assert one.token is not None
        assert len(server.asked) == 2, "not again at once"
        clock.move(PAUSE)
        await until(lambda: one.token is not None and one.token.header == b"Bearer two")


async def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    server = Server(b"")
    async with source(server, timeout=Duration(5)) as (one, clock):
        waiting = asyncio.ensure_future(refused(one))
        await until(lambda: len(server.asked) == 1)
        clock.move(6)
        assert await waiting == "its server did not answer in time"


async def test_one_that_a_back_end_refuses_can_be_replaced_unless_it_is_quite_new() -> None:
    async with source(Server(granted(expires_in=100), granted("two", expires_in=100))) as (one, clock):
        await waited(one)
        token = one.token
        assert token is not None
        assert not one.replaceable(token), "the next one would be refused, too"
        clock.move(YOUNG)
        assert one.replaceable(token)
        waiting = asyncio.ensure_future(waited(one))
        await asyncio.sleep(0)
        assert one.token is token, "it is good for the others until the next one is there"
        assert await waiting == b"Bearer two"
        assert one.replaceable(token), "somebody else has had it renewed"
        assert one.token is not None


@pytest.mark.parametrize(
    ("said", "secrets"),
    [
        (granted("one", refresh_token="two", expires_in=100), ["one", "two"]),
        (answer(b'{"access_token" :\n"one", "token_type": "mac"', b"201 Odd"), ["one"]),
        (answer(b"access_token=one&token_type=bearer", b"200 OK"), ["one"]),
        (answer(b'{"error": "invalid_scope"}', b"400 No"), []),
    ],
)
async def test_where_one_call_is_looked_at_what_is_asked_and_what_comes_is_told_and_which_of_it_is_secret(
    said: bytes, secrets: list[str]
) -> None:
    clock = HandClock()
    tap = Tap(clock)
    async with hostile(Server(said).script) as back:
        one = TokenSource(settings(back), clock, None, tap)
        await waited(one)
        await one.close()
        asked, answered = tap.steps
        assert asked.head.startswith(f"POST {back.url}/realms/spain/token\n")
    assert asked.body == "grant_type=client_credentials"
    assert answered.kind == "answer"
    assert answered.body.encode() == said.partition(b"\r\n\r\n")[2]
    assert tap.secrets == secrets


async def test_nobody_can_read_it() -> None:
    async with source(Server(granted(expires_in=100))) as (one, _):
        await waited(one)
        shown = f"{one.token!r} {one!r} {one.settings!r}"
        assert "Bearer" not in shown
        assert "s3cr:t" not in shown


async def test_who_shows_the_same_credentials_shows_the_same_token() -> None:
    clock, sources = HandClock(), TokenSources()
    async with hostile(Server(granted()).script) as back:
        ours, theirs = settings(back), settings(back, scope="other")
        first, second, other = (sources.take(each, clock, None) for each in (ours, settings(back), theirs))
        assert first is second
        assert first is not other
        await sources.release(first)
        assert await waited(second) == b"Bearer one"
        for each in (second, other):
            await sources.release(each)
        again = sources.take(ours, clock, None)
        assert again is not first, "it was closed when nobody had it any more"
        await sources.release(again)


@pytest.mark.parametrize(
    ("url", "why"),
    [("dgt.example/token", "not an absolute"), ("https://dgt.example/a token", "percent-encoded")],
)
def test_where_nobody_can_be_asked_is_told_before_anything_is_sent(url: str, why: str) -> None:
    with pytest.raises((ValueError, InvalidRequest), match=why):
        check_url(url)


def test_what_is_sent_anyway_is_no_parameter() -> None:
    check_parameters(["audience"])
    with pytest.raises(ValueError, match="client_secret is sent already"):
        check_parameters(["client_secret"])

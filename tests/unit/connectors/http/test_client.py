"""Calls that show a token: none goes out without, a refused one is made again with another, and all end in time (H12)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from esclusa.connectors.assembly import make_backend
from esclusa.connectors.backend import Backend, Outcome, Question, Reason
from esclusa.connectors.http.client import make_client
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.http.oauth2 import YOUNG
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.rest.settings import PagingSettings
from esclusa.connectors.settings import OAuth2Credentials
from esclusa.connectors.transport import HttpClient
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import UnusableSettings
from esclusa.kernel.ids import Ids
from esclusa.testing.hostile import Hostile, Peer, always, answer, hostile
from unit.connectors.transport.calling import turns, until
from unit.connectors.transport.hand_clock import HandClock

QUESTION = Question("01890a5d-ac96-774b-bcce-b302099a8057", "expedientes", "12345678Z", {})
JSON = b"content-type: application/json"
GOOD = answer(b'{"good": true}', b"200 OK", JSON)
REFUSED = answer(b"", b"401 Unauthorized")
TOKENS = [f"token{number}" for number in range(9)]


class World:
    """A server of tokens, and a back end that takes those in `valid`; what both were shown."""

    def __init__(self) -> None:
        self.asked = 0
        self.granting = True
        self.tokens = TOKENS
        self.valid = set(TOKENS)
        self.shown: list[str] = []
        self.pages = 1
        self.silent = False

    async def server(self, peer: Peer) -> None:
        while await peer.request():
            self.asked += 1
            if self.silent:
                await peer.gone()
            token = {"access_token": self.tokens[self.asked - 1], "expires_in": 3600}
            await peer.send(answer(msgspec.json.encode(token), b"200 OK", JSON) if self.granting else answer(b"", b"503 Later"))

    async def back(self, peer: Peer) -> None:
        while request := await peer.request():
            token = next(
                line.removeprefix(b"authorization: Bearer ").decode()
                for line in request.split(b"\r\n")
                if line.startswith(b"authorization: ")
            )
            self.shown.append(token)
            page = len(self.shown)
            if self.pages > 1:
                self.valid = self.valid if page != 2 else self.valid - {token}  # the second page wants another one
                link = b'link: </people?page=2>; rel="next"' if page < self.pages + 1 else b"x: y"
                await peer.send(answer(b"[%d]" % page, b"200 OK", JSON, link) if token in self.valid else REFUSED)
            else:
                await peer.send(GOOD if token in self.valid else REFUSED)


@asynccontextmanager
async def made(world: World, **further: object) -> AsyncIterator[tuple[Backend, HandClock]]:
    clock = HandClock()
    async with hostile(world.server) as server, hostile(world.back) as back:
        settings = RestSettings(url=f"{back.url}/people", credentials="sso", **further)  # type: ignore[arg-type]  # what each test says
        workshop = Workshop(clock, Ids(clock), 1000, Contexts())
        one = make_backend("dgt", settings, credentials(server), workshop)
        try:
            yield one, clock
        finally:
            await one.close()
        assert (server.open, back.open) == (0, 0)


def credentials(server: Hostile) -> OAuth2Credentials:
    return OAuth2Credentials(url=f"{server.url}/token", client_id="hub", client_secret="secret")


async def ask(one: Backend, clock: Clock, seconds: float = 20.0) -> Outcome:
    ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    one.ask(QUESTION, clock.now() + seconds, ended.set_result)
    return await ended


async def test_the_first_call_waits_for_a_token_and_all_show_it() -> None:
    world = World()
    async with made(world) as (one, clock):
        outcomes = await asyncio.gather(*(ask(one, clock) for _ in range(10)))
        assert {outcome.data for outcome in outcomes} == {b'{"good": true}'}
    assert (world.asked, world.shown) == (1, ["token0"] * 10)


async def test_a_call_whose_token_is_refused_is_made_again_with_another() -> None:
    """Also one that must not be repeated: what was refused has done nothing."""
    world = World()
    async with made(world, method="POST", body={"id": "{subject}"}) as (one, clock):
        await ask(one, clock)
        world.valid = {"token1"}
        clock.move(YOUNG)
        assert await ask(one, clock) == Outcome(data=b'{"good": true}')
    assert world.shown == ["token0", "token0", "token1"]


async def test_many_that_are_refused_have_one_renewed() -> None:
    world = World()
    async with made(world) as (one, clock):
        await ask(one, clock)
        world.valid = {"token1"}
        clock.move(YOUNG)
        outcomes = await asyncio.gather(*(ask(one, clock) for _ in range(10)))
        assert {outcome.data for outcome in outcomes} == {b'{"good": true}'}
    assert world.asked == 2


async def test_a_back_end_that_refuses_every_token_is_asked_twice_and_its_refusal_is_the_answer() -> None:
    world = World()
    world.valid = set()
    async with made(world) as (one, clock):
        outcome = await ask(one, clock)
        assert outcome.detail == "It answered with status 401"
        assert (world.asked, len(world.shown)) == (1, 1), "the token was new: the next one would be refused, too"
        clock.move(YOUNG)
        assert (await ask(one, clock)).detail == "It answered with status 401"
    assert (world.asked, len(world.shown)) == (2, 3)


@asynccontextmanager
async def neighbours(world: World) -> AsyncIterator[tuple[Backend, Backend, HandClock]]:
    """A back end that refuses every token, and the one of `world`; both are shown the same."""
    clock = HandClock()
    workshop = Workshop(clock, Ids(clock), 1000, Contexts())
    async with hostile(world.server) as server, hostile(always(REFUSED)) as refusing, hostile(world.back) as back:
        sick, well = (
            make_backend(name, RestSettings(url=each.url, credentials="sso"), credentials(server), workshop)
            for name, each in (("sick", refusing), ("well", back))
        )
        try:
            yield sick, well, clock
        finally:
            await sick.close()
            await well.close()


async def test_a_back_end_that_refuses_a_token_takes_it_from_nobody_else() -> None:
    world = World()
    async with neighbours(world) as (sick, well, clock):
        await ask(well, clock)
        world.granting = False
        clock.move(YOUNG)
        assert (await ask(sick, clock)).detail == "There is no token to show it: its server answered with status 503"
        assert await ask(well, clock) == Outcome(data=b'{"good": true}')
        assert world.asked == 2


async def test_while_another_token_is_on_its_way_the_others_show_the_old_one_and_who_was_refused_waits() -> None:
    world = World()
    async with neighbours(world) as (sick, well, clock):
        await ask(well, clock)
        world.silent = True
        clock.move(YOUNG)
        refused = asyncio.ensure_future(ask(sick, clock, seconds=2))
        await until(lambda: world.asked == 2)
        for _ in range(3):
            assert await ask(well, clock) == Outcome(data=b'{"good": true}')
        assert not refused.done()
        assert (world.asked, set(world.shown)) == (2, {"token0"})
        clock.move(2)
        assert (await refused).reason is Reason.BACKEND_TIMEOUT


async def test_where_their_server_gives_the_same_token_again_the_refusal_is_the_answer() -> None:
    world = World()
    world.tokens = ["token0"] * 9
    async with made(world) as (one, clock):
        await ask(one, clock)
        world.valid = set()
        clock.move(YOUNG)
        assert (await ask(one, clock)).detail == "It answered with status 401"
    assert (world.asked, world.shown) == (2, ["token0", "token0"])


async def test_closed_it_ends_the_calls_that_wait_for_a_token_and_lets_out_no_more() -> None:
    world = World()
    world.silent = True
    async with neighbours(world) as (sick, well, clock):
        first, second = (asyncio.ensure_future(ask(one, clock)) for one in (sick, well))
        await until(lambda: world.asked == 1)
        await well.close()
        assert (await second).detail == "The call was given up"
        assert (await ask(well, clock)).detail == "The call was given up"
        assert not first.done(), "the other one goes on waiting"
        assert clock.timers == 2, "of its wait, and of the request for a token"


async def test_who_is_taken_back_while_others_are_told_of_the_end_is_not_told() -> None:
    world = World()
    world.silent = True
    async with made(world) as (one, clock):
        told: list[Outcome] = []
        aborts: list[Callable[[], None]] = []

        def first_told(outcome: Outcome) -> None:
            told.append(outcome)
            for abort in aborts:
                abort()

        aborts += [one.ask(QUESTION, clock.now() + 20, first_told) for _ in range(3)]
        await until(lambda: world.asked == 1)
        await one.close()
        assert len(told) == 1


async def test_without_a_token_nothing_goes_out_and_the_breaker_hears_of_it() -> None:
    world = World()
    world.granting = False
    async with made(world) as (one, clock):
        outcome = await ask(one, clock)
    assert outcome.reason is Reason.BACKEND_ERROR
    assert outcome.detail == "There is no token to show it: its server answered with status 503"
    assert outcome.failure
    assert outcome.again
    assert world.shown == []


async def test_a_call_that_waits_for_a_token_ends_in_time_and_can_be_taken_back() -> None:
    world = World()
    world.silent = True
    async with made(world) as (one, clock):
        waiting = asyncio.ensure_future(ask(one, clock, seconds=2))
        told: list[Outcome] = []
        abort = one.ask(QUESTION, clock.now() + 2, told.append)
        await until(lambda: world.asked == 1)
        abort()
        clock.move(1.9)
        await turns()
        assert not waiting.done()
        clock.move(0.1)
        assert (await waiting).reason is Reason.BACKEND_TIMEOUT
        clock.move(60)
        await turns()
        assert told == []
        assert clock.timers == 0
    assert world.shown == []


async def test_each_page_is_shown_the_token_of_its_moment() -> None:
    world = World()
    world.pages = 2
    async with made(world, paging=PagingSettings()) as (one, clock):
        one_by_one = asyncio.ensure_future(ask(one, clock))
        await until(lambda: len(world.shown) == 1)
        clock.move(YOUNG)
        assert (await one_by_one).data == b"[1,3]"
    assert world.shown == ["token0", "token0", "token1"]


async def test_two_connectors_with_the_same_credentials_show_one_token_and_the_second_lives_on() -> None:
    world, clock = World(), HandClock()
    workshop = Workshop(clock, Ids(clock), 1000, Contexts())
    async with hostile(world.server) as server, hostile(world.back) as back:
        settings = RestSettings(url=back.url, credentials="sso")
        first, second = (make_backend(name, settings, credentials(server), workshop) for name in ("a", "b"))
        await ask(first, clock)
        await first.close()
        await ask(second, clock)
        await second.close()
        assert server.open == 0
    assert world.asked == 1


async def test_credentials_of_other_kinds_take_a_client_that_adds_nothing() -> None:
    clock = Clock()
    client = make_client("http://dgt.example", "dgt", RestSettings(url="http://dgt.example"), None, _workshop(clock))
    assert isinstance(client, HttpClient)
    await client.close()


async def test_authorities_of_the_server_of_tokens_that_cannot_be_read_are_told_where_they_are_written() -> None:
    sso = OAuth2Credentials(url="https://sso.example", client_id="hub", client_secret="secret", ca="/no/such.pem")
    settings = RestSettings(url="http://dgt.example", credentials="sso")
    with pytest.raises(UnusableSettings, match=r"no authorities can be read") as found:
        make_client(settings.url, "dgt", settings, sso, _workshop(Clock()))
    assert found.value.path == ("credentials", "sso", "ca")


def _workshop(clock: Clock) -> Workshop:
    return Workshop(clock, Ids(clock), 1000, Contexts())

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from esclusa.demo.bodies import Body, Temper
from esclusa.demo.desk import FLAP, Desk
from esclusa.demo.http11 import Call
from esclusa.demo.people import Period, Person
from esclusa.kernel.clock import Clock
from esclusa.kernel.lifecycle import Background
from esclusa.testing.virtual import EPOCH

NIF = "99002727D"
GET = Call("GET", f"/expedientes/{NIF}", {}, {}, b"")


def name(person: Person, period: Period) -> dict[str, Any] | None:
    return {"nombre": person.name, "desde": period.since.isoformat()}


def nothing(_: Person, __: Period) -> None:
    return None


def desk(**about: Any) -> Desk:
    defaults: dict[str, Any] = {"name": "one", "answer": name}
    return Desk(Body(**(defaults | about)), Clock(epoch=EPOCH), Background("test"))


@pytest.mark.virtual_time
async def test_an_answer_takes_the_time_that_the_body_takes() -> None:
    slow = desk(pace=(3.0, 5.0))
    began = asyncio.get_running_loop().time()
    reply = await slow.reply(GET)
    assert reply.status == 200
    assert asyncio.get_running_loop().time() - began == pytest.approx(slow.body.delay(NIF))


@pytest.mark.virtual_time
async def test_a_body_with_one_place_works_on_one_call_at_a_time() -> None:
    narrow = desk(pace=(2.0, 2.0), places=1)
    began = asyncio.get_running_loop().time()
    await asyncio.gather(*(narrow.reply(GET) for _ in range(3)))
    assert asyncio.get_running_loop().time() - began == pytest.approx(6.0)


@pytest.mark.virtual_time
async def test_a_moody_body_fails_every_other_time() -> None:
    moody = desk(temper=Temper.MOODY)
    assert [(await moody.reply(GET)).status for _ in range(4)] == [503, 200, 503, 200]


@pytest.mark.virtual_time
async def test_a_failing_body_fails_every_time() -> None:
    failing = desk(temper=Temper.FAILING, answer=None)
    assert [(await failing.reply(GET)).status for _ in range(3)] == [500, 500, 500]


@pytest.mark.virtual_time
async def test_garbage_comes_with_a_200() -> None:
    reply = await desk(temper=Temper.GARBAGE, answer=None).reply(GET)
    assert (reply.status, reply.content[:15]) == (200, b"<!DOCTYPE html>")


@pytest.mark.virtual_time
async def test_a_body_that_knows_nothing_about_a_person_says_404() -> None:
    assert (await desk(answer=nothing).reply(GET)).status == 404


@pytest.mark.virtual_time
async def test_a_company_is_not_known_to_bodies_that_keep_files_on_people() -> None:
    assert (await desk().reply(Call("GET", "/expedientes/B64717838", {}, {}, b""))).status == 404


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/x/{nif}/y", Call("GET", f"/x/{NIF}/y", {"desde": "2026-01-01"}, {}, b"")),
        ("/x", Call("GET", "/x", {"nif": NIF, "desde": "2026-01-01"}, {}, b"")),
        ("/x", Call("POST", "/x", {"desde": "2026-01-01"}, {}, b'{"nif": "%s"}' % NIF.encode())),
    ],
)
async def test_the_subject_is_in_the_path_the_query_or_the_body(path: str, call: Call) -> None:
    reply = await desk(path=path).reply(call)
    assert reply.content.decode() == '{"nombre":"Tecla Garcielmo Jarabonda","desde":"2026-01-01"}'


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    "call",
    [
        Call("GET", "/elsewhere", {}, {}, b""),
        Call("GET", "/x", {}, {}, b""),
        Call("GET", "/x", {"nif": "../etc"}, {}, b""),
        Call("GET", "/x", {"nif": NIF, "desde": "yesterday"}, {}, b""),
        Call("POST", "/x", {}, {}, b"nif=1"),
        Call("POST", "/x", {}, {}, b'{"nif": 1}'),
    ],
)
async def test_a_question_that_is_not_well_put_is_refused(call: Call) -> None:
    assert (await desk(path="/x").reply(call)).status == 400


@pytest.mark.virtual_time
async def test_a_secret_is_asked_for() -> None:
    private = desk(secret=("x-key", "open sesame"))
    assert (await private.reply(GET)).status == 401
    assert (await private.reply(Call("GET", GET.path, {}, {"x-key": "open sesame"}, b""))).status == 200


@pytest.mark.virtual_time
async def test_an_old_body_answers_in_its_own_charset() -> None:
    reply = await desk(answer=lambda *_: {"lugar": "A Coruña"}, charset="iso-8859-1").reply(GET)
    assert reply.kind == "application/json; charset=iso-8859-1"
    assert reply.content == '{"lugar":"A Coruña"}'.encode("latin-1")


async def test_a_body_that_is_down_refuses_connections_and_keeps_its_port(running: Any, ask: Any) -> None:
    async with running(Body(name="one", temper=Temper.DOWN)) as (country, _):
        with pytest.raises(ConnectionRefusedError):
            await ask(country.ports["one"], "/expedientes/1")
        other = Desk(Body(name="two", answer=name), Clock(), Background("test"))
        with pytest.raises(OSError, match="in use"):
            await other.open(country.ports["one"])
        other.close()


async def test_a_hung_body_takes_the_question_and_never_answers(running: Any) -> None:
    async with running(Body(name="one", temper=Temper.HUNG)) as (country, clock):
        reader, writer = await asyncio.open_connection("127.0.0.1", country.ports["one"])
        writer.write(b"GET /expedientes/1 HTTP/1.1\r\n\r\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await reader.read()
        assert clock.slept == []
        writer.transport.abort()


async def test_a_flapping_body_is_up_and_then_cuts_whoever_calls(running: Any, ask: Any) -> None:
    async with running(Body(name="one", answer=name, temper=Temper.FLAPPING)) as (country, clock):
        assert (await ask(country.ports["one"], GET.path)).status == 200
        clock.ahead = FLAP + 1
        with pytest.raises(ConnectionError):
            await ask(country.ports["one"], GET.path)
        clock.ahead = 2 * FLAP + 1
        assert (await ask(country.ports["one"], GET.path)).status == 200


async def test_a_connection_serves_one_call_after_the_other(running: Any) -> None:
    async with running(Body(name="one", answer=name)) as (country, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", country.ports["one"])
        for _ in range(2):
            writer.write(f"GET {GET.path} HTTP/1.1\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert b"200 OK" in head
            await reader.readexactly(int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]))
        writer.transport.abort()


async def test_what_is_not_http_is_cut(running: Any) -> None:
    async with running(Body(name="one", answer=name)) as (country, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", country.ports["one"])
        writer.write(b"hello\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.transport.abort()

"""A host that speaks text over TCP is a connector by configuration alone (H10)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esclusa.connectors.answer import Answer
from esclusa.connectors.assembly import faults, make_backend
from esclusa.connectors.backend import Question, Reason
from esclusa.connectors.connector import Connector
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.http.settings import TlsSettings
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.settings import BearerCredentials, RetrySettings
from esclusa.connectors.tcp import TcpSettings
from esclusa.connectors.tcp.settings import (
    CloseSettings,
    DelimiterSettings,
    FixedSettings,
    FunctionFrameSettings,
    LengthSettings,
)
from esclusa.connectors.tcp.tcp import request_of
from esclusa.kernel.clock import Clock
from esclusa.kernel.duration import Duration
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument

Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def question(subject: str = "12345678Z") -> Question:
    return Question("01890a5d-ac96-774b-bcce-b302099a8057", "expedientes", subject, {"office": "28"})


class Host:
    """A back end on a socket that plays `play` on every connection."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self.connections = 0
        self.said: list[bytes] = []
        self.port = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._play(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def host(play: Play, **settings: Any) -> AsyncIterator[tuple[Host, Connector]]:
    """The back end, and the connector before it."""
    back = Host(play)
    server = await asyncio.start_server(back, "127.0.0.1", 0)
    back.port = server.sockets[0].getsockname()[1]
    said = TcpSettings(host="127.0.0.1", port=back.port, **{"request": "GET {subject}\n", "timeout": Duration(0.3), **settings})
    clock = Clock()
    backend = make_backend("host", said, None, Workshop(clock, Ids(clock), 1000, Contexts()))
    one = Connector("host", backend, said, clock, Ids(clock), Instrument())
    try:
        yield back, one
    finally:
        await one.close()
        server.close()


async def ask(one: Connector, subject: str = "12345678Z") -> Answer:
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    one.offer(question(subject), Clock().now() + 20, answered.set_result)
    return await answered


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(b"OK " + line)


async def test_a_line_is_sent_and_a_line_is_the_answer_over_one_connection() -> None:
    async with host(echo, answer="OK {verb} {who}") as (back, one):
        for subject in ("12345678Z", "X0000000T"):
            assert (await ask(one, subject)).data == b'{"verb":"GET","who":"%b"}' % subject.encode()
        assert back.connections == 1


async def test_with_its_length_before_it_and_another_charset() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(2), "big")
        asked = (await reader.readexactly(size)).decode("cp037")
        answer = f"{asked} ñ".encode("cp037")
        for byte in len(answer).to_bytes(2, "big") + answer:
            writer.write(bytes([byte]))
            await writer.drain()
        await reader.read()

    async with host(play, request="{subject}", frame=LengthSettings(size=2), encoding="cp037") as (_, one):
        assert (await ask(one)).data == '"12345678Z ñ"'.encode()


async def test_until_it_closes() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"one\ntwo " + await reader.readline())

    async with host(play, frame=CloseSettings()) as (back, one):
        for _ in range(2):
            assert (await ask(one)).data == b'"one\\ntwo GET 12345678Z\\n"'
        assert back.connections == 2


async def test_what_says_that_there_is_nothing_and_what_has_another_form() -> None:
    async with host(echo, answer="OK GET {who}", empty=["OK GET 0{_}"]) as (_, one):
        assert (await ask(one, "00000000T")).reason is None
        assert (await ask(one, "00000000T")).data is None
    async with host(echo, answer="KO {who}") as (_, one):
        assert ((await ask(one)).reason, (await ask(one)).detail) == (
            Reason.BACKEND_ERROR, "What it answered has another form",
        )  # fmt: skip


def plays(*pieces: bytes, hang: bool = False) -> Play:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if hang:
            await reader.read()

    return play


@pytest.mark.parametrize(
    ("play", "frame", "reason"),
    [
        (plays(hang=True), DelimiterSettings(), Reason.BACKEND_TIMEOUT),
        (plays(b"half of", hang=True), DelimiterSettings(), Reason.BACKEND_TIMEOUT),
        (plays(b"\0\0\0\x05half", hang=True), LengthSettings(), Reason.BACKEND_TIMEOUT),
        (plays(b"half of"), DelimiterSettings(), Reason.BACKEND_ERROR),
        (plays(), DelimiterSettings(), Reason.BACKEND_ERROR),
        (plays(), CloseSettings(), Reason.BACKEND_ERROR),
        (plays(b"\x7f\xff\xff\xff", hang=True), LengthSettings(), Reason.BACKEND_ERROR),
        (plays(*[b"x" * 600] * 4, hang=True), DelimiterSettings(), Reason.BACKEND_ERROR),
        (plays(*[b"x" * 600] * 4, hang=True), CloseSettings(), Reason.BACKEND_ERROR),
        (plays(b"\xff\n"), DelimiterSettings(), Reason.BACKEND_ERROR),
    ],
)
async def test_nothing_that_a_host_can_do_hurts(play: Play, frame: Any, reason: Reason) -> None:
    async with host(play, frame=frame) as (_, one):
        tasks = len(asyncio.all_tasks())
        for _ in range(2):
            answer = await ask(one)
            assert (answer.reason, answer.data) == (reason, None)
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) <= tasks + 3, "nothing is left but the host's own"


def ends(_: str | bytes) -> int:
    """A function of the user's that would end the program."""
    sys.exit(1)


@pytest.mark.parametrize(
    "settings",
    [
        {"frame": FunctionFrameSettings(function=f"{__name__}:ends")},
        {"answer": f"{__name__}:ends"},
        {"transform": f"{__name__}:ends"},
    ],
)
async def test_a_function_that_would_end_the_program_ends_its_call(settings: dict[str, Any]) -> None:
    async with host(echo, **settings) as (_, one):
        for _ in range(2):
            assert (await ask(one)).reason is Reason.BACKEND_ERROR


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", b"\xff\n"),
        ("utf-8", b"\xed\xa0\x80\n"),
        ("utf-16-le", b"\x00\xd8\n\0"),
        ("utf-7", b"+2AA-\n"),
    ],
)
@pytest.mark.parametrize("answer", [None, "{all}", "builtins:str", "msgspec:Raw"])
async def test_what_is_no_text_is_never_taken_for_one(encoding: str, said: bytes, answer: str | None) -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil("\n".encode(encoding))
        writer.write(said)
        await reader.read()

    async with host(play, encoding=encoding, answer=answer, request="{subject}") as (_, one):
        assert (await ask(one)).detail == "What it answered has another form"


async def test_what_comes_unasked_is_never_taken_for_the_next_answer() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        writer.write(b"mine " + line + b"smuggled\n")
        await reader.read()

    async with host(play) as (back, one):
        assert [(await ask(one, who)).data for who in ("A", "B")] == [b'"mine GET A"', b'"mine GET B"']
        assert back.connections == 2


async def test_what_comes_between_two_calls_ends_the_connection() -> None:
    late, over = asyncio.Event(), asyncio.Event()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"mine " + await reader.readline())
        await late.wait()
        writer.write(b"late\n")
        await writer.drain()
        await reader.read()
        over.set()

    async with host(play) as (back, one):
        assert (await ask(one, "A")).data == b'"mine GET A"'
        late.set()
        await over.wait()
        assert (await ask(one, "B")).data == b'"mine GET B"'
        assert back.connections == 2


async def test_a_connection_that_was_closed_meanwhile_costs_nobody_an_answer_where_it_may_be_asked_again() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"one " + await reader.readline())
        await reader.readline()  # and closes on the second

    async with host(play, idempotent=True) as (back, one):
        assert [(await ask(one)).reason for _ in range(3)] == [None] * 3
        assert back.connections == 3
    async with host(play) as (_, one):
        assert [(await ask(one)).reason for _ in range(2)] == [None, Reason.BACKEND_ERROR]


async def test_nobody_there_is_tried_again_because_nothing_was_sent() -> None:
    async with host(echo, retry=RetrySettings(attempts=2, first=Duration(0))) as (back, one):
        pass
    settings = TcpSettings(host="127.0.0.1", port=back.port, request="x", retry=RetrySettings(attempts=2, first=Duration(0)))
    clock = Clock()
    one = Connector(
        "host", make_backend("host", settings, None, Workshop(clock, Ids(clock), 1000, Contexts())), settings, clock,
        Ids(clock), Instrument(),
    )  # fmt: skip
    answer = await ask(one)
    assert (answer.reason, answer.attempts) == (Reason.BACKEND_ERROR, 2)
    await one.close()


@given(st.text())
def test_no_value_can_be_more_than_a_value(subject: str) -> None:
    settings = TcpSettings(host="h", port=1, request="GET {subject};all\r\n", reserved=";")
    try:
        filled = request_of(settings).fill(question(subject))
    except ValueError:
        return
    assert filled is not None
    assert filled.count(";") == 1
    assert filled.splitlines() == [filled.removesuffix("\r\n")]
    assert filled[4:-6] == subject


@pytest.mark.parametrize(
    ("key", "settings"),
    [
        ("host", {"host": "a b"}),
        ("port", {"port": 65_536}),
        ("encoding", {"encoding": "base64"}),
        ("request", {"request": "{nobody}"}),
        ("frame", {"frame": DelimiterSettings(delimiter="")}),
        ("frame", {"frame": DelimiterSettings(delimiter="\u20ac"), "encoding": "latin-1"}),
        ("frame", {"frame": FixedSettings(size=3), "encoding": "utf-16"}),
        ("answer", {"answer": "{a}{b}"}),
        ("empty", {"empty": ["{"]}),
        ("tls", {"tls": TlsSettings(name="x")}),
    ],
)
def test_what_is_wrong_is_named_with_its_key(key: str, settings: dict[str, Any]) -> None:
    said = TcpSettings(**{"host": "127.0.0.1", "port": 7, "request": "x", **settings})
    assert [path for path, _ in faults("h", said)] == [("connectors", "h", key)]


def test_only_a_certificate_can_be_shown() -> None:
    said = TcpSettings(host="127.0.0.1", port=7, request="x", credentials="c")
    assert [path for path, _ in faults("h", said, BearerCredentials(token="t"))] == [("connectors", "h", "credentials")]

"""A TCP connector, whole, against everything that a back end can do to it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from itertools import pairwise, product
from pathlib import Path
from unittest.mock import Mock

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esclusa.connectors.assembly import make_backend
from esclusa.connectors.backend import Outcome, Reason
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.http.settings import TlsSettings
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.tcp import TcpSettings
from esclusa.connectors.tcp.connection import Connection
from esclusa.connectors.tcp.framing import CloseFrame, DelimiterFrame, Frame, frame_of
from esclusa.connectors.tcp.settings import (
    CloseSettings,
    DelimiterSettings,
    FixedSettings,
    FrameSettings,
    FunctionFrameSettings,
    LengthSettings,
)
from esclusa.kernel.errors import HttpError
from esclusa.kernel.ids import Ids
from esclusa.testing.hostile import MISBEHAVIOURS, Certificates, Hostile, Peer, cut, healthy, hostile, once, secured
from esclusa.testing.hostile.misbehaviours import Ending
from unit.connectors.ordeal import MOST_ANSWER, PATIENT, QUESTION, Make, ask, connector, cut_everywhere, ordeal, piles_up
from unit.connectors.transport.calling import until
from unit.connectors.transport.hand_clock import HandClock
from unit.connectors.transport.listener import Listener

SAID = b"good " + b"word" * 20 + b"!"
"""Longer than what trickles within the time of a call."""
GOOD = b'"' + b"word" * 20 + b'"'


def line(received: bytes) -> int | None:
    """Where a message ends: a frame of the user's."""
    end = received.find(b"\r\n")
    return None if end < 0 else end + 2


FRAMES: dict[str, tuple[FrameSettings, bytes]] = {
    "delimiter": (DelimiterSettings(delimiter="\r\n"), SAID + b"\r\n"),
    "length": (LengthSettings(), len(SAID).to_bytes(4, "big") + SAID),
    "whole length": (LengthSettings(size=2, order="little", whole=True), (len(SAID) + 2).to_bytes(2, "little") + SAID),
    "digits": (LengthSettings(order="digits"), b"%04d" % len(SAID) + SAID),
    "fixed": (FixedSettings(size=len(SAID)), SAID),
    "function": (FunctionFrameSettings(function=f"{__name__}:line"), SAID + b"\r\n"),
}
"""How messages are told apart, and the good one, by name."""
WITH_ANY_FRAME = ("reset", "truncated", "garbage", "closed_between", "surplus", "half_frame", "giant_length", "endless_frame")
WITH_ONE = (
    *("hang_on_accept", "silence", "trickle", "unresolvable", "slow_name", "dead_ipv6"),
    *(name for name, one in MISBEHAVIOURS.items() if one.wire == "tls"),
)
"""What has nothing to do with frames."""
ENDINGS: dict[tuple[str, str], Ending] = {("giant_length", frame): "timeout" for frame in ("delimiter", "function", "fixed")}
"""A length means nothing there, and no end comes."""


def make(frame: FrameSettings) -> Make:
    def settings(back: Hostile) -> TcpSettings:
        return TcpSettings(
            host=back.host,
            port=back.port,
            request="{subject}",
            frame=frame,
            answer="good {words}!{_}",
            transform="words",
            secure=back.ca is not None,
            tls=TlsSettings(ca=back.ca),
            **PATIENT,
        )

    return settings


@pytest.mark.parametrize(
    ("name", "frame"), [*product(WITH_ANY_FRAME, FRAMES), *((name, "delimiter") for name in WITH_ONE)], ids=str
)
async def test_a_call_ends_by_its_time_with_the_right_reason_leaks_nothing_and_the_next_call_works(
    name: str, frame: str
) -> None:
    settings, whole = FRAMES[frame]
    said = await ordeal(name, make(settings), GOOD, ending=ENDINGS.get((name, frame)), answer=whole, raw=True)
    assert (said.data is None) is (said.reason is not None)


def test_no_misbehaviour_is_left_out() -> None:
    assert {name for name, one in MISBEHAVIOURS.items() if one.wire in ("tls", "tcp")} <= {*WITH_ANY_FRAME, *WITH_ONE}


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("frame", FRAMES)
async def test_an_answer_cut_at_any_byte_is_an_error_or_whole(frame: str, reset: bool) -> None:
    settings, whole = FRAMES[frame]
    said = await cut_everywhere(cut(once(whole), reset=reset), len(whole) + 1, make(settings), GOOD, answer=whole, raw=True)
    assert {one.reason for one in said[: len(whole)]} == {Reason.BACKEND_ERROR}
    assert reset or said[len(whole)].data == GOOD


@pytest.mark.parametrize("reset", [False, True])
async def test_where_its_end_is_the_answer_s_a_reset_is_none_and_what_is_missing_is_told_by_the_form(reset: bool) -> None:
    """An end in order is one wherever it comes, so that nothing but the form of the answer can tell that some is missing."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(SAID[: peer.number])
        if reset:
            peer.reset()

    async with hostile(script, raw=True) as back:
        one = connector(make(CloseSettings())(back))
        said = [await ask(one) for _ in range(len(SAID) + 1)]
        await one.close()
    assert {each.reason for each in said[:-1]} == {Reason.BACKEND_ERROR}
    assert (said[-1].reason, said[-1].data) == ((Reason.BACKEND_ERROR, None) if reset else (None, GOOD))


@pytest.mark.parametrize("name", FRAMES)
@given(
    said=st.binary(max_size=40) | st.just(b"\0\0\0\2ab") | st.text("0123\r\n").map(str.encode),
    cuts=st.lists(st.integers(0, 40)),
)
def test_however_what_comes_is_split_it_is_the_same(name: str, said: bytes, cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(said)]
    pieces = [said[begin:end] for begin, end in pairwise(places)]
    frame = frame_of(FRAMES[name][0] if name != "fixed" else FixedSettings(size=5), "utf-8", MOST_ANSWER)
    assert asyncio.run(heard(frame, *pieces)) == asyncio.run(heard(frame, said))


class Told(CloseFrame):
    """Remembers of how many bytes it was told that they have been looked at."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def find(self, received: bytes | bytearray, seen: int = 0) -> tuple[int, int, int] | None:
        self.seen.append(seen)
        return super().find(received, seen)


def test_a_frame_is_told_what_it_has_looked_at() -> None:
    frame = Told()
    assert asyncio.run(heard(frame, b"ab", b"c", b"def")) == b"abcdef"
    assert frame.seen == [0, 2, 3]


async def heard(frame: Frame, *pieces: bytes) -> bytes | str:
    """What a call makes of these pieces, after which the connection ends in order: an answer, or the kind of its error."""
    with socket.socket() as unconnected:
        transport = Mock(asyncio.Transport)
        transport.get_extra_info.return_value = unconnected
        connection = Connection(frame, MOST_ANSWER)
        connection.connection_made(transport)
        calling = asyncio.create_task(connection.call(b"question"))
        await asyncio.sleep(0)
        for piece in pieces:
            connection.data_received(piece)
        connection.eof_received()
        connection.connection_lost(None)
        try:
            return await calling
        except HttpError as error:
            return error.kind


@pytest.mark.parametrize("told", [False, True])
async def test_over_tls_an_end_that_is_not_told_is_none(tmp_path: Path, told: bool) -> None:
    certificates = Certificates(tmp_path)

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(SAID)
        if not told:
            peer.cut()
            await peer.gone()

    async with hostile(secured(certificates.server("127.0.0.1"), script), raw=True, ca=certificates.ca) as back:
        one = connector(make(CloseSettings())(back))
        said = await ask(one)
        await one.close()
    assert said.reason is (None if told else Reason.BACKEND_ERROR)


@pytest.mark.parametrize("reset", [False, True])
async def test_tls_cut_at_any_byte_is_an_error_or_whole(tmp_path: Path, reset: bool) -> None:
    certificates = Certificates(tmp_path)
    side = certificates.server("127.0.0.1")
    side.num_tickets = 0
    settings, whole = FRAMES["delimiter"]
    async with hostile(cut(secured(side, healthy), reset=reset), answer=whole, raw=True, ca=certificates.ca) as back:
        one = connector(make(settings)(back))
        said = [await ask(one)]
        while said[-1].reason is not None:
            assert said[-1].reason is Reason.BACKEND_ERROR
            said.append(await ask(one))
        await one.close()
    assert said[-1].data == GOOD
    assert len(said) > 500
    assert {each.detail.partition(":")[0] for each in said[:-1]} == {
        "There is no secure connection with it",
        "It closed the connection before it had answered",
    }


async def test_a_certificate_that_is_refused_once_tls_is_up_is_told_so_and_something_was_sent() -> None:
    """By TLS 1.3 a back end says so after what is a whole handshake for us."""
    with socket.socket() as unconnected:
        transport = Mock(asyncio.Transport)
        transport.get_extra_info.return_value = unconnected
        connection = Connection(DelimiterFrame(b"\n", 1), 1000)
        connection.connection_made(transport)
        calling = asyncio.create_task(connection.call(b"question\n"))
        await asyncio.sleep(0)
        failure = ssl.SSLError(1, "its words")
        failure.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
        connection.connection_lost(failure)
        with pytest.raises(HttpError, match="tls: it refused TLS with us: certificate required") as raised:
            await calling
    assert raised.value.sent


async def test_a_smuggled_answer_is_never_taken_for_another_call_s() -> None:
    settings, whole = FRAMES["length"]
    async with hostile("surplus", answer=whole, raw=True) as back:
        one = connector(make(settings)(back))
        for _ in range(20):
            assert (await ask(one)).data == GOOD
        await one.close()


async def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_calls() -> None:
    """It lies in the socket when the next call comes, and the loop has not turned since."""
    with contextlib.closing(Listener()) as listener:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(DelimiterFrame(b"\n", 1), 1000), listener.origin.host, listener.origin.port
        )
        peer = await asyncio.to_thread(listener.accept)
        asking = asyncio.create_task(connection.call(b"question\n"))
        await asyncio.to_thread(peer.recv, 1000)
        peer.sendall(b"answer\n")
        assert await asking == b"answer"
        peer.sendall(b"stolen\n")
        assert not connection.free
        with pytest.raises(HttpError, match="closed: the connection has ended") as raised:
            await connection.call(b"question\n")
        assert not raised.value.sent
        connection.close()


@pytest.mark.parametrize(("begin", "connections"), [(b"", 2), (b"g", 1)])
async def test_on_a_kept_connection_nothing_is_asked_again_once_an_answer_has_begun(begin: bytes, connections: int) -> None:
    settings, whole = FRAMES["delimiter"]

    async def script(peer: Peer) -> None:
        await peer.some()
        await peer.send(whole)
        await peer.some()
        await peer.send(begin)

    async with hostile(script) as back:
        one = connector(msgspec.structs.replace(make(settings)(back), idempotent=True))
        assert (await ask(one)).data == GOOD
        assert (await ask(one)).reason is (Reason.BACKEND_ERROR if begin else None)
        assert back.accepted == connections
        await one.close()


async def test_an_unused_connection_is_closed_after_its_time_though_no_call_comes() -> None:
    settings, whole = FRAMES["delimiter"]
    async with hostile(healthy, answer=whole, raw=True) as back:
        clock = HandClock()
        backend = make_backend("dgt", make(settings)(back), None, Workshop(clock, Ids(clock), 1000, Contexts()))
        for idle, connections in ((0.0, 1), (29.0, 1), (31.0, 2)):
            clock.move(idle)
            outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            backend.ask(QUESTION, clock.now() + 10, outcome.set_result)
            assert (await outcome).data == GOOD
            assert back.accepted == connections
        clock.move(31.0)
        await until(lambda: back.open == 0)
        await backend.close()
        assert clock.timers == 0


async def test_nothing_piles_up_whatever_happens_how_often() -> None:
    names = ("surplus", "half_frame", "giant_length", "endless_frame", "silence", "tls_cut")
    assert not await piles_up(names, make(FRAMES["length"][0]), answer=FRAMES["length"][1], raw=True)

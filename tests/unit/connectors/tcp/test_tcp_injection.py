"""Whatever a citizen writes, one message of the intended shape arrives, or none."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings

from esclusa.connectors.assembly import make_backend
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.tcp import TcpSettings
from esclusa.connectors.tcp.settings import DelimiterSettings, FixedSettings, FrameSettings, LengthSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids
from esclusa.testing.hostile import Peer, hostile
from unit.connectors.injection import TEXT, asked
from unit.connectors.transport.calling import until

FRAMES: list[FrameSettings] = [
    DelimiterSettings(delimiter="\r\n"),
    DelimiterSettings(delimiter="END"),
    LengthSettings(size=2),
    LengthSettings(order="digits", whole=True),
    FixedSettings(size=100),
]


async def arrives(frame: FrameSettings, encoding: str, subject: str, text: str) -> bytes:
    """All that arrives at the back end."""
    arrived: list[bytes] = []

    async def script(peer: Peer) -> None:
        arrived.append(await peer.some())
        peer.cut()
        while more := await peer.some():
            arrived.append(more)

    async with hostile(script) as back:
        clock = Clock()
        said = TcpSettings(
            host=back.host,
            port=back.port,
            request="GET {subject};{params.text};all",
            reserved=";",
            frame=frame,
            encoding=encoding,
        )
        backend = make_backend("registry", said, None, Workshop(clock, Ids(clock), 1000, Contexts()))
        await asked(backend, subject, text)
        await backend.close()
        await until(lambda: back.open == 0)
    return b"".join(arrived)


def unwrapped(frame: FrameSettings, arrived: bytes, encoding: str) -> str:
    """The one message that arrived, by a reader that is not ours."""
    match frame:
        case DelimiterSettings():
            message, *others = arrived.split(frame.delimiter.encode(encoding))
            assert others == [b""]
        case LengthSettings(order="digits"):
            assert int(arrived[:4]) == len(arrived)
            message = arrived[4:]
        case LengthSettings():
            assert int.from_bytes(arrived[:2], "big") == len(arrived) - 2
            message = arrived[2:]
        case _:
            assert len(arrived) == 100
            message = arrived
    return message.decode(encoding).rstrip(" ")


@pytest.mark.parametrize("encoding", ["utf-8", "cp037", "utf-16-le"])
@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
@settings(max_examples=30, deadline=None)
@given(subject=TEXT, text=TEXT)
def test_at_most_one_message_arrives_and_it_has_the_intended_shape(
    frame: FrameSettings, encoding: str, subject: str, text: str
) -> None:
    arrived = asyncio.run(arrives(frame, encoding, subject, text))
    if arrived:
        assert unwrapped(frame, arrived, encoding).split(";") == [f"GET {subject}", text, "all"]

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from esclusa.testing.hostile import Certificates, Hostile, Script, always, cut, hostile, once, secured, silent

ASK = b"GET / HTTP/1.1\r\n\r\n"


async def said(back: Hostile, times: int = 1, context: ssl.SSLContext | None = None) -> bytes | None:
    """What comes on one connection for so many requests, sent at once, up to its end; None: it was not ended in order."""
    try:
        reader, writer = await asyncio.open_connection(back.host, back.port, ssl=context)
    except OSError:
        return None
    try:
        writer.write(ASK * times)
        if writer.can_write_eof():
            writer.write_eof()
        return await reader.read()
    except OSError:
        return None
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("script", "expected"), [(always(b"yes"), [b"yes", b"yesyes"]), (once(b"yes"), [b"yes", b"yes"]), (silent, [b"", b""])]
)
async def test_what_is_said_and_how_often(script: Script, expected: list[bytes]) -> None:
    async with hostile(script) as back:
        assert [await said(back, times) for times in (1, 2)] == expected


async def test_an_answer_is_cut_a_byte_later_on_each_connection() -> None:
    async with hostile(cut(once(b"abc"), reset=False)) as back:
        assert [await said(back) for _ in range(5)] == [b"", b"a", b"ab", b"abc", b"abc"]


async def test_with_a_reset_it_does_not_end_in_order() -> None:
    async with hostile(cut(once(b"abc"), reset=True)) as back:
        for _ in range(5):
            reader, writer = await asyncio.open_connection(back.host, back.port)
            writer.write(ASK)
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()


async def test_over_tls(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    trusting = ssl.create_default_context(cafile=certificates.ca)
    async with hostile(secured(certificates.server("127.0.0.1"), once(b"yes"))) as back:
        assert await said(back, context=trusting) == b"yes"
        assert await said(back) != b"yes"


async def test_tls_is_cut_a_byte_later_on_each_connection(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    trusting = ssl.create_default_context(cafile=certificates.ca)
    async with hostile(cut(secured(certificates.server("127.0.0.1"), once(b"good")), reset=False)) as back:
        first = [await said(back, context=trusting) for _ in range(3)]
        back.accepted = 4000
        whole = await said(back, context=trusting)
    assert (first, whole) == ([None] * 3, b"good")

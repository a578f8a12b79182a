"""What a citizen might write to make something else of a call, and what arrives of it."""

from __future__ import annotations

import asyncio

from hypothesis import strategies as st

from esclusa.connectors.backend import Backend, Outcome, Question
from esclusa.kernel.clock import Clock
from esclusa.testing.hostile import Peer, Script

_PIECES = (
    *("\r\n", "\n", "\0", "\t", " ", "é", "\u2028", "\x85", "\x1b"),
    *("/", "?", "#", "..", "%0d%0a", "%2f", "&x=1", "Host: evil", "HTTP/1.1", "\r\n\r\nGET /evil HTTP/1.1\r\n\r\n"),
    *("<", ">", "&", "&lt;", "]]>", "<!--", "</id><id>", "<![CDATA[", "<!DOCTYPE x>", "'", '"'),
    *(";", "{subject}", "$", "\\"),
)
TEXT = st.text(max_size=20) | st.lists(st.sampled_from(_PIECES), max_size=6).map("".join)
"""Anything, and what means something in HTTP, in a URL, in XML or in a line of text."""


def collects(arrived: list[bytes]) -> Script:
    """Keeps what arrives, request by request, and answers well."""

    async def script(peer: Peer) -> None:
        while request := await peer.request():
            arrived.append(request)
            await peer.send(peer.answer())

    return script


async def asked(backend: Backend, subject: str, text: str) -> Outcome:
    """How a question about `subject`, with the parameter `text`, ended."""
    ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    question = Question("01890a5d-ac96-774b-bcce-b302099a8057", "expedientes", subject, {"text": text})
    backend.ask(question, Clock().now() + 20, ended.set_result)
    return await ended

"""A made-up public body that is older than the web: one framed text asks, another one answers, over TCP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from esclusa.demo.http11 import BadRequest

NOTHING = "SIN DATOS"
"""It has nothing about the person."""
WRONG = "ERROR"
"""It was not asked what it is there for."""


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """How such a body is spoken to."""

    asks: str
    """What stands before the subject: `"CONSULTA "`."""
    said: Callable[[Any], str]
    """An answer as a text, from its JSON."""
    charset: str = "iso-8859-1"
    prefix: int = 0
    """Bytes of the length that stands before each text, the greatest first; 0: each is a line, which ends with CR LF."""

    async def read(self, reader: asyncio.StreamReader) -> str | None:
        """The next text; None when the caller has hung up between two of them. Raises `BadRequest`, `ConnectionError`."""
        try:
            first = await (reader.readexactly(self.prefix) if self.prefix else reader.readuntil(b"\r\n"))
        except asyncio.IncompleteReadError as cut:
            if cut.partial:
                raise BadRequest("cut in the middle of a text") from cut
            return None
        except asyncio.LimitOverrunError as overrun:
            raise BadRequest("too long a line") from overrun
        try:
            content = await reader.readexactly(int.from_bytes(first, "big")) if self.prefix else first[:-2]
        except asyncio.IncompleteReadError as cut:
            raise BadRequest("cut in the middle of a text") from cut
        return content.decode(self.charset, "replace")

    def wire(self, text: str) -> bytes:
        """`text` as it goes over the wire."""
        content = text.encode(self.charset, "replace")
        return len(content).to_bytes(self.prefix, "big") + content if self.prefix else content + b"\r\n"

    def subject(self, text: str) -> str | None:
        """Whom a text asks about; None when it is no question."""
        subject = text.removeprefix(self.asks)
        return subject if subject != text and subject.isalnum() else None


def identity(said: Any) -> str:
    """The identity document as the police's host writes it."""
    paper = said["documento"]
    return f"OK {paper['tipo']}|{paper['numero']}|{paper['expedicion']}|{paper['validez']}"


def permit(said: Any) -> str:
    """The residence permit as the aliens' office's host writes it."""
    (one,) = said["autorizaciones"]
    return f"OK {one['clase']}|{one['nacionalidad']}|{one['concedida']}|{one['caduca']}"

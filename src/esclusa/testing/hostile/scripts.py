"""Simple scripts, and scripts made of others: what tests of one's own are mostly written with."""

from __future__ import annotations

import ssl
from contextlib import suppress

from esclusa.testing.hostile.peer import Peer, Script


async def healthy(peer: Peer) -> None:
    """Answers every request with what is good."""
    while await peer.request():
        await peer.send(peer.answer())


async def silent(peer: Peer) -> None:
    """Reads, and says nothing."""
    await peer.gone()


def always(data: bytes) -> Script:
    """These bytes for every request."""

    async def script(peer: Peer) -> None:
        while await peer.request():
            await peer.send(data)

    return script


def once(data: bytes) -> Script:
    """These bytes for the first request; then the connection is closed."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(data)

    return script


def secured(context: ssl.SSLContext, script: Script) -> Script:
    """The same over TLS."""

    async def over_tls(peer: Peer) -> None:
        await peer.secure(context)
        await script(peer)

    return over_tls


def cut(script: Script, *, reset: bool) -> Script:
    """The same, cut: nothing of what it sends gets out on the first connection, and a byte more on each that follows.

    The connection is then closed in order, or with a `reset`. Of a script over TLS, it is what TLS sends that is cut, from
    the handshake on.
    """

    async def in_part(peer: Peer) -> None:
        peer.room = peer.number
        with suppress(OSError):
            await script(peer)
        if reset:
            peer.reset()

    return in_part

"""What a hostile back end does, by name."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Literal

import msgspec

from esclusa.testing.hostile.peer import Peer, Script
from esclusa.testing.hostile.scripts import healthy, once, silent

Wire = Literal["http", "tls", "soap", "tcp"]
Ending = Literal["answer", "error", "timeout"]
_TRICKLE = 0.02
"""Seconds between two bytes: slow enough that no answer is whole within a second."""
_BOMB = 16 * 1024 * 1024
_MANY = 20
_LAST = b"connection: close"
"""So that a healed back end is reached by a new connection."""


class Misbehaviour(msgspec.Struct, frozen=True):
    """One way to misbehave."""

    wire: Wire
    """What has to be spoken with it: `tls` is HTTP over TLS, `soap` XML over HTTP, `tcp` raw bytes."""
    ending: Ending
    """How a call has to end: with the good answer, at once with an error, or by its time."""
    script: Script
    """What it does to each connection."""


async def _hang_after_headers(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
    await peer.gone()


async def _trickle(peer: Peer) -> None:
    await peer.request()
    for byte in peer.answer():
        await peer.send(bytes([byte]))
        await peer.rest(_TRICKLE)


async def _reset(peer: Peer) -> None:
    peer.room = peer.number % len(peer.answer())
    with suppress(OSError):
        await healthy(peer)
    peer.reset()


async def _closed_between(peer: Peer) -> None:
    await peer.request()
    await peer.send(peer.answer())


async def _surplus(peer: Peer) -> None:
    while await peer.request():
        await peer.send(peer.answer() + peer.answer(b'"smuggled"'))


async def _redirect_loop(peer: Peer) -> None:
    request = await peer.request()
    target = request.split(b" ", 2)[1] if request else b"/"
    await peer.send(peer.answer(b"", b"302 Found", b"location: " + target, _LAST))


async def _endless_headers(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        await peer.send(b"x-more: more\r\n" * 64)


async def _endless_body(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        await peer.send(b"1000\r\n" + bytes(4096) + b"\r\n")


async def _gzip_bomb(peer: Peer) -> None:
    while await peer.request():
        await peer.send(peer.answer(bomb(), b"200 OK", b"content-encoding: gzip"))


async def _informational(peer: Peer) -> None:
    while await peer.request():
        await peer.send(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * _MANY + peer.answer())


async def _truncated(peer: Peer) -> None:
    await peer.request()
    await peer.send(peer.answer()[:-1])


async def _short_length(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + peer.body)


def _document(document: bytes) -> Script:
    """This XML in answer to the first request."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(peer.answer(document, b"200 OK", _LAST))

    return script


async def _tls_cut(peer: Peer) -> None:
    await _truncated(peer)
    peer.cut()


async def _half_frame(peer: Peer) -> None:
    await peer.request()
    await peer.send(peer.body[: len(peer.body) // 2])


async def _giant_length(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"\x7f\xff\xff\xff" + b"9" * 64)
    await peer.gone()


async def _endless_frame(peer: Peer) -> None:
    await peer.request()
    while True:
        await peer.send(b"9" * 4096)


@cache
def bomb() -> bytes:
    """A few KiB of gzip that are 16 MiB."""
    return gzip.compress(bytes(_BOMB), mtime=0)


_SOAP = b"http://schemas.xmlsoap.org/soap/envelope/"
_ENTITIES = b"".join(b'<!ENTITY e%d "%b">' % (n, b"&e%d;" % (n - 1) * 10 if n else b"ha") for n in range(10))


def _envelope(content: bytes, before: bytes = b"") -> bytes:
    return before + b'<s:Envelope xmlns:s="%b"><s:Body>%b</s:Body></s:Envelope>' % (_SOAP, content)


MISBEHAVIOURS: Mapping[str, Misbehaviour] = {
    "hang_on_accept": Misbehaviour("http", "timeout", silent),
    "hang_after_headers": Misbehaviour("http", "timeout", _hang_after_headers),
    "trickle": Misbehaviour("http", "timeout", _trickle),
    "reset": Misbehaviour("http", "error", _reset),
    "truncated": Misbehaviour("http", "error", _truncated),
    "wrong_length": Misbehaviour("http", "error", _short_length),
    "length_and_chunked": Misbehaviour(
        "http",
        "error",
        once(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"),
    ),
    "garbage": Misbehaviour("http", "error", once(bytes(range(256)) * 8)),
    "endless_headers": Misbehaviour("http", "error", _endless_headers),
    "endless_body": Misbehaviour("http", "error", _endless_body),
    "gzip_bomb": Misbehaviour("http", "error", _gzip_bomb),
    "informational": Misbehaviour("http", "answer", _informational),
    "body_after_204": Misbehaviour("http", "answer", once(b"HTTP/1.1 204 No Content\r\n\r\n" + b'"smuggled"')),
    "broken_chunks": Misbehaviour(
        "http", "error", once(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\nno number\r\n")
    ),
    "closed_between": Misbehaviour("http", "answer", _closed_between),
    "surplus": Misbehaviour("http", "answer", _surplus),
    "redirect_loop": Misbehaviour("http", "error", _redirect_loop),
    "unresolvable": Misbehaviour("http", "error", healthy),
    "slow_name": Misbehaviour("http", "timeout", healthy),
    "dead_ipv6": Misbehaviour("http", "answer", healthy),
    "tls_slow": Misbehaviour("tls", "timeout", silent),
    "tls_wrong_name": Misbehaviour("tls", "error", healthy),
    "tls_expired": Misbehaviour("tls", "error", healthy),
    "tls_self_signed": Misbehaviour("tls", "error", healthy),
    "tls_handshake_cut": Misbehaviour("tls", "error", healthy),
    "tls_cut": Misbehaviour("tls", "error", _tls_cut),
    "entity_bomb": Misbehaviour("soap", "error", _document(_envelope(b"&e9;", b"<!DOCTYPE x [" + _ENTITIES + b"]>"))),
    "external_entity": Misbehaviour(
        "soap",
        "error",
        _document(_envelope(b"&e;", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>')),
    ),
    "wrong_envelope": Misbehaviour("soap", "error", _document(b"<Envelope xmlns='urn:other'><Body/></Envelope>")),
    "fault_with_200": Misbehaviour(
        "soap",
        "error",
        _document(_envelope(b"<s:Fault><faultcode>s:Server</faultcode><faultstring>No</faultstring></s:Fault>")),
    ),
    "half_frame": Misbehaviour("tcp", "error", _half_frame),
    "giant_length": Misbehaviour("tcp", "error", _giant_length),
    "endless_frame": Misbehaviour("tcp", "error", _endless_frame),
    "silence": Misbehaviour("tcp", "timeout", silent),
}
"""By name. `reset` and `tls_handshake_cut` come one byte later with each connection, so that as many calls as there are bytes see them all."""

"""A back end on a real socket that misbehaves as it is told."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from esclusa.testing.hostile.certificates import Certificates
from esclusa.testing.hostile.misbehaviours import MISBEHAVIOURS, healthy, healthy_raw
from esclusa.testing.hostile.names import resolving
from esclusa.testing.hostile.peer import Peer

_HERE = "127.0.0.1"
_NAMED = ("unresolvable", "slow_name", "dead_ipv6")


class Hostile:
    """Where it is, and who came. Made by `hostile`."""

    def __init__(self, name: str, host: str, answer: bytes, content_type: str, certificates: Certificates | None) -> None:
        self._behaviour = MISBEHAVIOURS[name]
        self._script = self._behaviour.script
        self._name = name
        self._answer = answer
        self._type = content_type
        self._good: ssl.SSLContext | None = None
        self._tls: ssl.SSLContext | None = None
        self._running: set[asyncio.Task[None]] = set()
        self.host = host
        self.port = 0
        self.ca = None if certificates is None else certificates.ca
        """The PEM file of the authority that a client is to trust, where TLS is spoken."""
        self.accepted = 0
        """Connections so far."""
        if certificates is not None:
            self._good = certificates.server(_HERE)
            wrong_host = "other.example" if name == "tls_wrong_name" else _HERE
            self._tls = certificates.server(wrong_host, expired=name == "tls_expired", self_signed=name == "tls_self_signed")

    @property
    def open(self) -> int:
        """Connections that neither side has ended."""
        return len(self._running)

    @property
    def url(self) -> str:
        """`http://HOST:PORT`, or `https`, without a path."""
        return f"{'http' if self._good is None else 'https'}://{self.host}:{self.port}"

    def heal(self) -> None:
        """From now on, every new connection is served as it should be; what a name leads to stays as it is."""
        self._script = healthy_raw if self._behaviour.wire == "tcp" else healthy
        self._tls = self._good
        self._name = "healthy"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; closed when its script ends."""
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        peer = Peer(self.accepted, reader, writer, answer=self._answer, content_type=self._type)
        self.accepted += 1
        name, script, tls = self._name, self._script, self._tls
        try:
            if tls is not None and name != "tls_slow":
                await peer.secure(tls)
            await script(peer)
            if name == "tls_cut":
                peer.cut()
        except (OSError, asyncio.CancelledError):
            pass  # the client may go at any time
        finally:
            writer.close()
            self._running.discard(task)

    async def end(self) -> None:
        """Let go of every connection."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@asynccontextmanager
async def hostile(
    misbehaviour: str, *, answer: bytes = b'{"good":true}', content_type: str = "application/json"
) -> AsyncIterator[Hostile]:
    """A back end on a free port of this machine that does what `misbehaviour`, a key of `MISBEHAVIOURS`, says.

    `answer`: the body that it would send, and sends once it is healed; over TCP, the bytes.
    """
    with ExitStack() as stack:
        certificates = None
        if MISBEHAVIOURS[misbehaviour].wire == "tls":
            certificates = Certificates(Path(stack.enter_context(TemporaryDirectory())))
        host = _HERE
        if misbehaviour in _NAMED:
            host = "hostile.test"
            stack.enter_context(resolving(host, misbehaviour))
        back = Hostile(misbehaviour, host, answer, content_type, certificates)
        server = await asyncio.start_server(back.serve, _HERE, 0)
        back.port = server.sockets[0].getsockname()[1]
        try:
            yield back
        finally:
            server.close()
            await back.end()

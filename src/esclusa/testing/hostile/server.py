"""A back end on a real socket that misbehaves as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from esclusa.testing.hostile.certificates import Certificates
from esclusa.testing.hostile.misbehaviours import MISBEHAVIOURS, Misbehaviour
from esclusa.testing.hostile.names import resolving
from esclusa.testing.hostile.peer import Peer, Script
from esclusa.testing.hostile.scripts import cut, healthy, secured

_HERE = "127.0.0.1"
_NAMED = ("unresolvable", "slow_name", "dead_ipv6")


class Hostile:
    """Where it is, and who came. Made by `hostile`."""

    def __init__(
        self,
        script: Script,
        good: Script,
        host: str,
        *,
        answer: bytes,
        content_type: str,
        raw: bool,
        ca: str | None,
        named: Event,
    ) -> None:
        """`good`: what is done once it is healed; `named`: to be set then, so that its name leads here."""
        self._script = script
        self._good = good
        self._answer = answer
        self._type = content_type
        self._raw = raw
        self._named = named
        self._running: set[asyncio.Task[None]] = set()
        self._over = False
        self.host = host
        self.port = 0
        self.ca = ca
        """The PEM file of the authority that a client is to trust, where TLS is spoken."""
        self.accepted = 0
        """Connections so far."""
        self.failures: list[Exception] = []
        """What scripts have raised, but for `OSError`: the client may go at any time."""

    @property
    def open(self) -> int:
        """Connections that neither side has ended."""
        return len(self._running)

    @property
    def url(self) -> str:
        """`http://HOST:PORT`, or `https`, without a path."""
        return f"{'http' if self.ca is None else 'https'}://{self.host}:{self.port}"

    def heal(self) -> None:
        """From now on its name leads here, and every new connection is served as it should be; after a script, without TLS."""
        self._script = self._good
        self._named.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; closed when its script ends."""
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        peer = Peer(self.accepted, reader, writer, body=self._answer, content_type=self._type, raw=self._raw)
        self.accepted += 1
        try:
            if not self._over:
                await self._script(peer)
                await peer.end()
        except (OSError, asyncio.CancelledError):
            pass
        except Exception as failure:  # noqa: BLE001 - told when the test ends
            self.failures.append(failure)
        finally:
            writer.close()
            self._running.discard(task)

    async def end(self) -> None:
        """Let go of every connection."""
        self._over = True
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@asynccontextmanager
async def hostile(
    misbehaviour: str | Script,
    *,
    answer: bytes = b'{"good":true}',
    content_type: str = "application/json",
    raw: bool = False,
    ca: str | None = None,
) -> AsyncIterator[Hostile]:
    """A back end on a free port of this machine that does what `misbehaviour` says: a key of `MISBEHAVIOURS`, or a script.

    - `answer`: the body that it would send, and sends once it is healed.
    - `raw`: it sends that as it is for whatever comes, instead of over HTTP, as those that speak `tcp` do anyhow.
    - `ca`: the PEM file of whom to trust, of a script over TLS; those named have their own.

    What a script of one's own raises is raised when the context ends.
    """
    with ExitStack() as stack:
        if isinstance(misbehaviour, str):
            name, behaviour = misbehaviour, MISBEHAVIOURS[misbehaviour]
        else:
            name, behaviour = "", Misbehaviour("http", "answer", misbehaviour)
        script: Script = behaviour.script
        good: Script = healthy
        if behaviour.wire == "tls":
            certificates = Certificates(Path(stack.enter_context(TemporaryDirectory())))
            script, good, ca = _over_tls(name, script, certificates), _over_tls("", good, certificates), certificates.ca
        host, named = _HERE, Event()
        if name in _NAMED:
            host = "hostile.test"
            named = stack.enter_context(resolving(host, name))
        back = Hostile(
            script,
            good,
            host,
            answer=answer,
            content_type=content_type,
            raw=raw or behaviour.wire == "tcp",
            ca=ca,
            named=named,
        )
        server = await asyncio.start_server(back.serve, _HERE, 0)
        back.port = server.sockets[0].getsockname()[1]
        try:
            yield back
        finally:
            server.close()
            await back.end()
        for failure in back.failures:
            raise failure


def _over_tls(name: str, script: Script, certificates: Certificates) -> Script:
    """`script` over TLS that is done as `name` says, or well."""
    match name:
        case "tls_slow":
            return script
        case "tls_handshake_cut":
            return cut(secured(certificates.server(_HERE), script), reset=False)
        case "tls_wrong_name":
            return secured(certificates.server("other.example"), script)
        case "tls_expired":
            return secured(certificates.server(_HERE, expired=True), script)
        case "tls_self_signed":
            return secured(certificates.server(_HERE, self_signed=True), script)
        case _:
            return secured(certificates.server(_HERE), script)

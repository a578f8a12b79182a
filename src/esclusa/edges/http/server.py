"""The HTTP server of a process: a part that is started, drained and stopped like any other.

It serves the API on `[server] listen`, and to the operator on a socket in the data folder that only they can open; metrics
and the reasons of health on `[server] admin`, where that is given, until the very end, so that a monitor can see a process
drain.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from esclusa.edges.http.api import Applications
from esclusa.edges.http.callers import LOCAL
from esclusa.edges.http.connection import Connections
from esclusa.edges.http.front import Front
from esclusa.edges.http.settings import ServerSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import CannotListen
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument
from esclusa.kernel.lifecycle import Background

SOCKET = "esclusa.sock"
"""The operator's socket, in the data folder."""
_BACKLOG = 1024
_KEYS = {"public": "listen", "admin": "admin"}
"""What says where each is served, in `[server]`."""
_ANOTHER_FOLDER = "give [esclusa] data another folder"
"""The remedy where the operator's socket can't be made."""
_OWNER_ONLY = 0o177
"""The umask under which a file is its owner's alone."""


class Address(NamedTuple):
    """Where something is served."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """`http://127.0.0.1:8080`."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"


class _Listener(NamedTuple):
    server: asyncio.Server
    connections: Connections


class HttpServer:
    """Serves applications. `address` and `admin` say where, once it is started."""

    def __init__(
        self,
        applications: Applications,
        settings: ServerSettings,
        data: Path,
        clock: Clock,
        ids: Ids,
        instrument: Instrument,
    ) -> None:
        """`data`: the folder of the operator's socket; made if absent."""
        self.background = Background("http")
        self.address: Address | None = None
        self.admin: Address | None = None
        self.socket = data / SOCKET
        self._applications = applications
        self._settings = settings
        self._clock = clock
        self._ids = ids
        self._instrument = instrument
        self._listeners: dict[str, _Listener] = {}
        instrument.gauge("esclusa_http_connections", "Connections open, by where", ("listener",), self._count)

    async def start(self) -> None:
        """Serve. `CannotListen` when an address or the socket can't be served on."""
        try:
            public, admin = self._applications
            if admin is not None and self._settings.admin is not None:
                self.admin = await self._listen("admin", admin, self._settings.admin)
            await self._listen_locally(public)
            self.address = await self._listen("public", public, self._settings.listen)
        except BaseException:
            await self.stop()
            raise
        self.background.spawn("date", self._tick())
        apart = {"admin": self.admin.url} if self.admin else {}
        self._instrument.info("http served", address=self.address.url, **apart)

    async def drain(self) -> None:
        """Accept no more; requests at hand are answered, idle connections closed. The administrator is still served."""
        at_hand = [listener for name, listener in self._listeners.items() if name != "admin"]
        for listener in at_hand:
            listener.server.close()
        await asyncio.gather(*(listener.connections.drain() for listener in at_hand))

    async def stop(self) -> None:
        """Close everything."""
        await self.background.cancel()
        for listener in self._listeners.values():
            listener.server.close()
            await listener.connections.stop()
        if "local" in self._listeners:
            self.socket.unlink(missing_ok=True)
        self._listeners.clear()

    async def _listen(self, name: str, app: Front, where: str) -> Address:
        host, _, port = where.rpartition(":")
        connections = self._connections(app, {})
        try:
            server = await asyncio.get_running_loop().create_server(
                connections.open, host.strip("[]"), int(port), backlog=_BACKLOG
            )
        except OSError as error:
            remedy = (
                f": end what is there, or give [server] {_KEYS[name]} another port" if error.errno == errno.EADDRINUSE else ""
            )
            raise CannotListen(f"{where} can't be served on: {_why(error)}{remedy}") from error
        self._listeners[name] = _Listener(server, connections)
        return Address(*server.sockets[0].getsockname()[:2])

    async def _listen_locally(self, app: Front) -> None:
        connections = self._connections(app, {LOCAL: True})
        try:
            bound = _bound(self.socket)
            server = await asyncio.get_running_loop().create_unix_server(connections.open, sock=bound, backlog=_BACKLOG)
        except OSError as error:
            raise CannotListen(f"{self.socket} can't be served on: {_why(error)}: {_ANOTHER_FOLDER}") from error
        self._listeners["local"] = _Listener(server, connections)

    def _connections(self, app: Front, state: dict[str, Any]) -> Connections:
        return Connections(app, self._settings, self._clock, self._ids, self._instrument, state=state)

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(1)
            for listener in self._listeners.values():
                listener.connections.tick()

    def _count(self) -> Iterator[tuple[tuple[str, ...], float]]:
        for name, listener in self._listeners.items():
            yield (name,), float(len(listener.connections))


def _other(connected: socket.socket) -> str:
    """The process at the other end, with its number where the system tells."""
    if not hasattr(socket, "SO_PEERCRED"):
        return "another process"
    number, _, _ = struct.unpack("3i", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return f"the process {number}"


def _bound(path: Path) -> socket.socket:
    """A socket at `path` that its owner alone can open, from its first moment on.

    One that is left over from a process that was killed is replaced, one that somebody serves on is not.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0)
        answer = probe.connect_ex(str(path))
        if answer in {0, errno.EAGAIN}:
            who = _other(probe) if answer == 0 else "another process"
            raise CannotListen(f"{path} can't be served on: {who} does: end it, or {_ANOTHER_FOLDER}")
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(_OWNER_ONLY)
    try:
        bound.bind(str(path))
    except OSError:
        bound.close()
        raise
    finally:
        os.umask(before)
    return bound


def _why(error: OSError) -> str:
    """In the system's words; the event loop's say what has just been said."""
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return (error.strerror or str(error)).lower()

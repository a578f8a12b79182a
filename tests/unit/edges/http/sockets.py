"""Connections over sockets whose readers take what the test says."""

from __future__ import annotations

import asyncio
from typing import Any

from esclusa.edges.http.connection import Connection, Connections
from esclusa.edges.http.front import Front
from esclusa.edges.http.settings import ServerSettings
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument


class Socket(asyncio.Transport):
    """A socket whose reader takes what the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 0
        self.cut = asyncio.Event()

    def get_write_buffer_size(self) -> int:
        return self.left

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.left += len(data)

    def close(self) -> None:
        """It ends when the test says so."""

    def abort(self) -> None:
        self.left = 0
        self.cut.set()


class Sockets:
    """Connections over sockets of the test's own."""

    def __init__(self, **limits: Any) -> None:
        self.clock, self.instrument = Clock(), Instrument()
        settings = ServerSettings(**limits)

        async def nothing(*_: Any) -> None:
            """Answers nothing."""

        front = Front(nothing, settings, self.clock, Ids(self.clock), self.instrument)
        self.connections = Connections(front, settings, self.clock, Ids(self.clock), self.instrument, state={})

    def open(self) -> tuple[Connection, Socket]:
        connection, socket_ = self.connections.open(), Socket()
        connection.connection_made(socket_)
        return connection, socket_

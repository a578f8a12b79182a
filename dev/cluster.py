"""The nodes of one engine, started and stopped together."""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from dev.jars import fetched
from dev.node import Node

if TYPE_CHECKING:  # plain engines are started without the packages that make certificates
    from dev.secured import Secured


class Cluster(ABC):
    """An async context manager: inside, every node serves. Each engine says what its nodes are."""

    name: ClassVar[str]
    artifacts: ClassVar[Sequence[str]]
    """`group:artifact:version`."""

    def __init__(self, folder: Path, nodes: int = 1, secured: Secured | None = None) -> None:
        """`folder`: for data and logs, made where it is missing. `secured`: clients have to say who they are."""
        self._folder = folder
        self._count = nodes
        self._secured = secured
        self.nodes: list[Node] = []

    @property
    def addresses(self) -> list[str]:
        """`host:port` of each node, for clients."""
        return [node.address for node in self.nodes]

    async def start(self) -> None:
        """Fetch what is missing, start every node, and return once all serve. `Missing`, `NotReady`."""
        jars = await fetched(self.name, self.artifacts)
        self._folder.mkdir(parents=True, exist_ok=True)
        self.nodes = await self.prepare(jars, self._folder, self._count)
        try:
            await asyncio.gather(*(node.start() for node in self.nodes))
            await asyncio.gather(*(node.ready() for node in self.nodes))
            if self._secured is not None:
                await self.grant(self._secured)
        except BaseException:
            await asyncio.gather(*(node.kill() for node in self.nodes))
            raise

    @abstractmethod
    async def prepare(self, jars: Path, folder: Path, count: int) -> list[Node]:
        """The nodes, with their configuration written."""

    @abstractmethod
    async def grant(self, secured: Secured) -> None:
        """Give `secured.user` its rights."""

    async def stop(self) -> None:
        """Every node ends."""
        for node in self.nodes:
            node.resume()
        await asyncio.gather(*(node.stop() for node in self.nodes))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


def free_ports(count: int, hosts: Sequence[str] = ("127.0.0.1",)) -> Iterator[int]:
    """Ports that nobody listens on, each free on all `hosts`."""
    with ExitStack() as held:
        for _ in range(count):
            port = 0
            for host in hosts:
                sock = held.enter_context(socket.socket())
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind((host, port))
                port = sock.getsockname()[1]
            yield port

"""The service as the command line reaches it: the process of a configuration by its local socket, or any by its URL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
import msgspec

from esclusa.cli.exits import Exit
from esclusa.cli.output import Failed
from esclusa.config.config import data_folder
from esclusa.edges.http.problems import ProblemBody
from esclusa.edges.http.server import SOCKET
from esclusa.edges.http.wire import (
    ConnectorsBody,
    HealthBody,
    ProcessesBody,
    QueriesBody,
    ReceiptBody,
    SnapshotBody,
    SubmissionBody,
)
from esclusa.kernel.clock import Clock

WAIT = 20
"""Seconds that a poll is held when nothing happens."""
PACE = 0.1
"""Seconds between two polls when much happens: nobody reads faster."""
PATIENCE = 10.0
"""Seconds that the service has to answer, beside what it was asked to wait."""

T = TypeVar("T")


class Service(msgspec.Struct, frozen=True):
    """Where a service is and with what key to ask it."""

    url: str
    socket: Path | None = None
    key: str | None = None

    @property
    def where(self) -> str:
        """In words."""
        return self.url if self.socket is None else str(self.socket)


def service(file: Path, url: str | None, key: str | None, environ: Mapping[str, str]) -> Service:
    """The one at `url`, asked with `key`, or else the process that runs the configuration `file` on this machine."""
    if url is not None:
        return Service(url.rstrip("/"), key=key)
    return Service("http://localhost", socket=data_folder(file, environ) / SOCKET)


class Client:
    """The API of one service. Raises `Failed` when nobody answers, or what comes is a problem."""

    def __init__(self, http: httpx.AsyncClient, where: Service, clock: Clock) -> None:
        self._http = http
        self._service = where
        self._clock = clock

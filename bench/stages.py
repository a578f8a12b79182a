"""Where the microseconds of a call go: parts alone, and what each further one adds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import msgspec

from bench.load import Cost, Watch, at_once, in_the_air, typical
from bench.questions import QUERY, Asker, MakeConnectors, configured, people, running, url, world
from esclusa.bootstrap import World, make_connectors
from esclusa.config.settings import Configuration
from esclusa.connectors.backend import Abort, Done, Outcome, Question
from esclusa.connectors.connector import Answer, Connector
from esclusa.connectors.transport import HttpClient, HttpError, Limits, Origin, Request, Response, Template
from esclusa.hub.settings import QuerySettings
from esclusa.kernel.duration import Duration
from esclusa.kernel.instrument import Level

CONNECTORS = 60
WIDTH = 8
"""Open requests; or calls in the air to each back end."""
PATIENCE = 30.0
"""Seconds that a call may take."""
KEPT = 3.0
"""Seconds after which a request is purged, where that is measured."""
FOUND = Outcome(data=b'{"took":        0,"found":true,"expedientes":["' + b"x" * 240 + b'"]}')


class Stages(msgspec.Struct, frozen=True):
    """Microseconds of processor time a call."""

    client: float
    """The HTTP client alone."""
    connector: float
    """REST connectors: the request from its settings, the policies, the client, the outcome."""
    policies: float
    """Connectors whose back end answers at once, with no HTTP."""
    in_memory: float
    """The hub over such connectors and the engine `memory`: submit, pool, collect, seal, read."""
    stored: float
    """The same over the embedded engine."""
    whole: float
    """The whole path, over HTTP and the embedded engine."""
    logged: float
    """The whole path with its log at INFO: what row 1 measures."""
    purged: float
    """The purge, later."""
    read: float
    """Reading a final result with its data once more."""


Stage = Callable[[Sequence[str], float], Awaitable[Cost]]

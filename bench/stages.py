"""Where the microseconds of a call go: parts alone, and what is added by each further one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile, TemporaryDirectory

import msgspec

from bench.load import Cost, Watch, at_once, middle
from bench.questions import Asker, configured, running, url
from esclusa.bootstrap import World, make_connectors, settle_memory
from esclusa.config.settings import Configuration
from esclusa.connectors.backend import Abort, Done, Outcome, Question
from esclusa.connectors.connector import Answer, Connector
from esclusa.connectors.transport import HttpClient, HttpError, Limits, Origin, Request, Response, Template
from esclusa.engines.sqlite import SqliteEngine
from esclusa.hub.submission import Submission
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument, Level
from esclusa.kernel.signal import Signals
from esclusa.observability.logs import Logs

CONNECTORS = 60
WIDTH = 8
"""Open requests, or calls in the air to each back end."""
FOUND = Outcome(data=b'{"took":        0,"found":true,"expedientes":["' + b"x" * 240 + b'"]}')

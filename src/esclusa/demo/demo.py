"""The demo: the country, a hub that asks it, and a citizen's question."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path

import msgspec

from esclusa.bootstrap import Application, Runtime, make_application
from esclusa.config.config import load
from esclusa.demo.bodies import port_variable
from esclusa.demo.country_process import country_process
from esclusa.edges.http.wire import SubmissionBody
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import CannotListen

CONFIGURATION = Path(__file__).with_name("esclusa.toml")
"""Of the hub: an example to read and to copy."""
LISTEN = "127.0.0.1:8080"
"""Where the API is, unless somebody else is there."""
ANYWHERE = "127.0.0.1:0"
"""Where it is then: any free port."""
NO_FILES = "no-soap-*.toml"
"""A pattern of files to include that no file has."""
QUERY = "expedientes"
"""What the citizen asks."""
YEARS = 5
"""How far back the citizen's question goes."""


class Demo(msgspec.Struct, frozen=True):
    """The demo at work."""

    application: Application
    clock: Clock
    url: str
    """Of the API."""
    key: str
    """What the API knows the demo's client by: made anew each time."""
    title: str
    """Of the citizen's question."""


@asynccontextmanager
async def open_demo(data: Path, *, listen: str = LISTEN) -> AsyncIterator[Demo]:
    """The country and the hub, for as long as the context lasts; the hub keeps its files in the folder `data`.

    Raises `ChildProcessError`, `StorageError`, `CannotListen` when something of it can't start.
    """
    async with country_process(Clock()) as ports:
        try:
            demo = await _started(ports, data, listen)
        except CannotListen:
            demo = await _started(ports, data, ANYWHERE)
        try:
            yield demo
        finally:
            await demo.application.lifecycle.close()


async def _started(ports: Mapping[str, int], data: Path, listen: str) -> Demo:
    runtime = Runtime.real()
    key = runtime.ids.secret(16).hex()
    configuration = load(CONFIGURATION, environment(ports, key, data, listen))
    application = make_application(configuration, runtime)
    await application.lifecycle.start()
    address = application.server.address
    return Demo(application, runtime.clock, "" if address is None else address.url, key, configuration.queries[QUERY].title)


def environment(ports: Mapping[str, int], key: str, data: Path, listen: str) -> dict[str, str]:
    """What the variables of the demo's configuration stand for; nothing of the process's own environment is in it."""
    where = {port_variable(body): str(port) for body, port in ports.items()}
    without = {} if speaks_soap() else {"DEMO_SOAP": NO_FILES}
    return where | without | {"DEMO_KEY": key, "DEMO_DATA": str(data.absolute()), "DEMO_LISTEN": listen}


def speaks_soap() -> bool:
    """Whether what SOAP takes is installed; without it the demo goes without the bodies that speak it."""
    return all(find_spec(package) is not None for package in ("zeep", "xmlsec"))


def citizens_question(subject: str, now: float) -> SubmissionBody:
    """Everything of everybody about one person, of the last years; `now` in seconds since the epoch."""
    today = datetime.fromtimestamp(now, UTC).date()
    period = {"from": date(today.year - YEARS, 1, 1).isoformat(), "to": today.isoformat()}
    return SubmissionBody(query=QUERY, subject=subject, params={"period": period})

"""A whole process: run, or opened inside one's own program.

Parts start in the order in which they stand here and are drained in the reverse one. So a process says how it is before
anything else, while it waits for its storage too. One that is to end says first that it is not ready, then takes no more
questions; then the calls in the air are finished, all pools together, and their answers collected; only then whoever waits
is let go, with all that there is, and then the storage and HTTP end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import traceback
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

import esclusa
from esclusa.bootstrap.hub import ROLES, Role, make_connectors, make_hub, make_setup
from esclusa.bootstrap.joining import Joining
from esclusa.bootstrap.patience import Patience
from esclusa.bootstrap.ports import open_ports
from esclusa.bootstrap.reload import Reload
from esclusa.bootstrap.runtime import Runtime, freeze_memory
from esclusa.bootstrap.watch import Watch
from esclusa.config.config import Configuration, ConfigurationText, load
from esclusa.config.engines import ENGINES, PORTS, engine_of
from esclusa.edges.http.api import make_applications
from esclusa.edges.http.callers import Callers
from esclusa.edges.http.health import Health
from esclusa.edges.http.server import HttpServer
from esclusa.hub.hub import Hub
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import ConfigurationError, Mistake
from esclusa.kernel.ids import Ids
from esclusa.kernel.instrument import Instrument, Level
from esclusa.kernel.lifecycle import Background, Lifecycle, Part, Parts
from esclusa.kernel.signal import Signals
from esclusa.observability.logs import Logs
from esclusa.observability.metrics import Metrics

LEEWAY = 5.0
"""Seconds that a part's drain may last beyond what calls in flight are given."""
HANDOVER = 10.0
"""Seconds beyond that in which a group has given a new member its partitions, or has none for it."""


@asynccontextmanager
async def open_hub(
    source: str | Path | Configuration, *, environ: Mapping[str, str] | None = None, instrument: Instrument | None = None
) -> AsyncIterator[Hub]:
    """The hub inside one's own program, with every role, for as long as the context lasts.

    `source`: the path of a configuration file, or a configuration; `environ`: what its `${NAME}` stand for, the
    process's environment unless given. Raises `ConfigurationError`, `StorageError`; if a part dies, the context is cut off
    with `PartDied`.
    """
    configuration = (
        source if isinstance(source, Configuration) else load(Path(source), os.environ if environ is None else environ)
    )
    runtime = Runtime.real(instrument)
    ports = open_ports(configuration, runtime)
    process = make_hub(configuration, ports, make_connectors(configuration, runtime), runtime)
    parts: Parts = [*ports.engines, make_setup(configuration, ports), *process.parts]
    async with Lifecycle(parts, drain=configuration.hub.drain + LEEWAY) as lifecycle, lifecycle.guard():
        yield process.hub


class Application(msgspec.Struct, frozen=True):
    """One process, wired and not started."""

    hub: Hub
    server: HttpServer
    """Its `address` and `admin` say where it serves, once started."""
    lifecycle: Lifecycle
    reload: Reload | None
    """Takes the configuration anew; None: nobody said where it comes from."""


def make_application(
    configuration: Configuration,
    runtime: Runtime,
    *,
    roles: Collection[Role] = ROLES,
    pools: Collection[str] | None = None,
    first: Sequence[Part] = (),
    text: ConfigurationText | None = None,
) -> Application:
    """Everything that one process runs. `first`: parts that start before all others and stop after them.

    `text`: what `configuration` comes from, so that it can change while the process runs; the files that it takes in and
    names are looked at, and what changes in them is taken. Its start waits for storage that is reached over the network, for
    as long as it takes. Raises `ConfigurationError` for what can't be made.
    """
    _check_roles(configuration, roles, pools)
    ports = open_ports(configuration, runtime)
    process = make_hub(configuration, ports, make_connectors(configuration, runtime), runtime, roles=roles, pools=pools)
    checks = {port: engine.upkeep.check for port, engine in ports.by_port.items()}
    health = Health(checks, runtime.clock, runtime.instrument)
    callers = Callers(configuration.clients)
    reload = None if text is None else Reload(text, configuration, process, callers, runtime)
    applications = make_applications(
        process.hub,
        health,
        Metrics(runtime.instrument),
        configuration.server,
        callers,
        reload,
        runtime.clock,
        runtime.ids,
        runtime.instrument,
        takes_questions="hub" in roles,
    )
    data = Path(configuration.esclusa.data)
    server = HttpServer(applications, configuration.server, data, runtime.clock, runtime.ids, runtime.instrument)
    setup = make_setup(configuration, ports)
    joining = Joining(process.members, configuration.hub.drain + HANDOVER, health.wait, runtime.clock)
    watch = [] if reload is None else [Watch(reload, runtime.clock)]
    parts: Parts = [*first, server, *ports.engines, setup, *process.parts, joining, *watch, health]
    drain = configuration.hub.drain + LEEWAY
    if _alone(configuration):
        return Application(process.hub, server, Lifecycle(parts, drain=drain), reload)
    patience = Patience(health.wait, runtime.clock, runtime.instrument)
    return Application(process.hub, server, Lifecycle(parts, drain=drain, start=patience.start), reload)


def _alone(configuration: Configuration) -> list[str]:
    """The engines that belong to one process: files and memory, which are there or broken."""
    return sorted({name for port in PORTS if not ENGINES[name := engine_of(configuration.esclusa, port)].networked})


def _check_roles(configuration: Configuration, roles: Collection[Role], pools: Collection[str] | None) -> None:
    """A process that nobody can join has to do everything itself: `ConfigurationError` otherwise."""
    alone = _alone(configuration)
    if alone and (set(roles) != set(ROLES) or pools is not None):
        what = f"the engine {alone[0]} belongs to one process, which has to do everything: leave --role and --pool out"
        raise ConfigurationError([Mistake("command line", 0, what)])


def _report(instrument: Instrument, context: dict[str, Any]) -> None:
    """A callback that failed, in words that hold nothing personal: asyncio's own would print its arguments."""
    error = context.get("exception")
    place = traceback.extract_tb(error.__traceback__)[-1:] if error is not None else []
    where = [f"{frame.filename}:{frame.lineno}" for frame in place]
    instrument.error("a callback failed", error=type(error).__name__, place=where)


async def serve(
    configuration: Configuration,
    *,
    roles: Collection[Role] = ROLES,
    pools: Collection[str] | None = None,
    text: ConfigurationText | None = None,
    started: Callable[[Application], None] = lambda _: None,
) -> None:
    """Run a process until SIGTERM or SIGINT, then drain. `started` is called once it is ready, if it comes to that.

    `text`: as for `make_application`; it is read anew on SIGHUP.
    Raises `ConfigurationError`, `StorageError`, `CannotListen` when it can't start, `PartDied` when a part dies.
    """
    clock = Clock()
    logs = Logs(clock, configuration.log.format)
    instrument = Instrument(logs, Level[configuration.log.level.upper()])
    runtime = Runtime(clock, Ids(clock), instrument, Signals())
    application = make_application(configuration, runtime, roles=roles, pools=pools, first=[logs], text=text)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: _report(instrument, context))
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, application.lifecycle.end)
    reloads = Background("reload")
    if (reload := application.reload) is not None:
        loop.add_signal_handler(signal.SIGHUP, lambda: reloads.spawn("file", _reload(reload)))
    try:
        async with application.lifecycle:
            if application.lifecycle.ready:
                freeze_memory()
                instrument.info("started", version=esclusa.__version__, roles=list(roles))
                started(application)
            await application.lifecycle.ended()
            instrument.info("draining")
        instrument.info("stopped")
    finally:
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(each)
        await reloads.cancel()


async def _reload(reload: Reload) -> None:
    """As SIGHUP asks; what is wrong is in the log."""
    with suppress(ConfigurationError):
        await reload()

"""Where the microseconds of a call go: parts alone, and what each further one adds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from bench.load import Cost, Watch, at_once, in_the_air
from bench.questions import EMBEDDED, MEMORY, QUERY, Asker, MakeConnectors, Storage, configured, people, running, runtime, url
from esclusa.bootstrap import Runtime, make_connectors
from esclusa.config.settings import Configuration
from esclusa.connectors.answer import Answer
from esclusa.connectors.backend import Abort, Done, Outcome, Question, Reason
from esclusa.connectors.connector import Connector
from esclusa.connectors.transport import HttpClient, HttpError, Limits, Origin, Request, RequestTemplate, Response
from esclusa.hub.settings import LAST_LOOK, QuerySettings
from esclusa.kernel.duration import Duration
from esclusa.kernel.instrument import Level

CONNECTORS = 60
WIDTH = 8
"""Open requests; or calls in the air to each back end."""
PATIENCE = 30.0
"""Seconds that a call may take."""
WARM = 0.3
"""Seconds of load before what is measured: connections are opened."""
KEEP = 3.0
"""Seconds that a request is kept, where its purge is measured."""
FOUND = Outcome(data=b'{"took":        0,"found":true,"expedientes":["' + b"x" * 240 + b'"]}')

Stage = Callable[[Sequence[str], float], Coroutine[Any, Any, Cost]]
"""Measures one part: the addresses of the back ends, and for how many seconds."""


class Instant:
    """A back end that answers in the loop's next turn."""

    idempotent = True

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def ask(self, question: Question, by: float, done: Done) -> Abort:  # noqa: ARG002 - whatever is asked
        """As `Backend.ask`."""
        return self._loop.call_soon(done, FOUND).cancel

    async def close(self) -> None:
        """Nothing is open."""


def instant(settings: Configuration, runtime: Runtime) -> Mapping[str, Connector]:
    """As `make_connectors`, with back ends that answer at once."""
    return {
        name: Connector(name, Instant(), each, runtime.clock, runtime.ids, runtime.instrument)
        for name, each in settings.connectors.items()
    }


async def client(addresses: Sequence[str], seconds: float) -> Cost:
    """The HTTP client alone: one ready request again and again."""
    async with runtime(Level.SILENT) as ours:
        clock = ours.clock
        limits = Limits(connections=WIDTH)
        request = Request(RequestTemplate("GET", ((b"Accept", b"application/json"),)), "/body/0")
        clients = [HttpClient(Origin.of(address), clock, limits=limits) for address in addresses]

        def call(client: HttpClient, done: Callable[[object], None]) -> None:
            client.send(request, clock.now() + PATIENCE, partial(_answered, done))

        begin = [partial(call, each) for each in clients]
        await in_the_air(begin, WIDTH, WARM)
        cost = await in_the_air(begin, WIDTH, seconds)
        for each in clients:
            await each.close()
    return cost


def _answered(done: Callable[[object], None], ending: Response | HttpError) -> None:
    assert isinstance(ending, Response), ending
    done(ending)


async def connectors(addresses: Sequence[str], seconds: float, make: MakeConnectors = make_connectors) -> Cost:
    """Connectors alone: policies, and what their back ends take."""
    return await offered(configured(_urls(addresses), [WIDTH] * CONNECTORS), WIDTH, seconds, make)


async def offered(
    settings: Configuration,
    width: int,
    seconds: float,
    make: MakeConnectors = make_connectors,
    level: Level = Level.SILENT,
    reason: Reason | None = None,
) -> Cost:
    """`width` questions at a time offered to each of the connectors, again and again. `reason`: of every answer."""
    async with runtime(level) as ours:
        made = make(settings, ours)
        question = Question(str(ours.ids.uuid()), QUERY, next(people()), {})

        def offer(connector: Connector, done: Callable[[object], None]) -> None:
            connector.offer(question, ours.clock.now() + PATIENCE, partial(_answers, reason, done))

        begin = [partial(offer, each) for each in made.values()]
        await in_the_air(begin, width, WARM)
        cost = await in_the_air(begin, width, seconds)
        for each in made.values():
            await each.close()
    return cost


def _answers(reason: Reason | None, done: Callable[[object], None], answer: Answer) -> None:
    assert answer.reason is reason, answer
    done(answer)


async def whole(
    addresses: Sequence[str],
    seconds: float,
    make: MakeConnectors = make_connectors,
    storage: Storage = EMBEDDED,
    level: Level = Level.SILENT,
) -> Cost:
    """The hub, from submit to the final result."""
    settings = configured(_urls(addresses), [WIDTH] * CONNECTORS, storage=storage)
    async with runtime(level) as ours, running(settings, ours, make) as hub:
        asker = Asker(hub)
        await at_once(asker, CONNECTORS, WIDTH, WARM)
        return await at_once(asker, CONNECTORS, WIDTH, seconds)


async def read(addresses: Sequence[str], seconds: float) -> Cost:
    """A final result with its data, read again and again."""
    settings = configured(_urls(addresses), [WIDTH] * CONNECTORS)
    async with runtime(Level.SILENT) as ours, running(settings, ours, instant) as hub:
        asker = Asker(hub)
        final = await asker()
        return await at_once(partial(asker.read, final.id), CONNECTORS, 1, seconds)


async def purge(addresses: Sequence[str], seconds: float) -> Cost:
    """What the hub does after a load whose requests all expire at once, until nothing of them is left."""
    kept = QuerySettings(ttl=Duration(KEEP), keep=Duration(KEEP))
    settings = configured(_urls(addresses), [WIDTH] * CONNECTORS, query=kept)
    async with runtime(Level.SILENT) as ours, running(settings, ours, instant) as hub:
        load = await at_once(Asker(hub), CONNECTORS, WIDTH, min(seconds, KEEP / 2))
        watch = Watch()
        await asyncio.sleep(KEEP + LAST_LOOK)
        ours.signals.listen()
        while (await ours.signals.wait("purge.round"))["left"]:
            pass
        cost = watch.cost(load.calls)
        rows = sum(ours.instrument.counters["esclusa_hub_purged_total"].values.values())
        assert rows >= 2 * load.calls / CONNECTORS, "of each request its own row, and one of answers at least"
    return cost


def _urls(addresses: Sequence[str]) -> list[str]:
    return [url(address, number) for number, address in enumerate(addresses[:CONNECTORS])]


class Stages(msgspec.Struct, frozen=True):
    """Microseconds of processor time a call."""

    client: float
    """The HTTP client alone."""
    connectors: float
    """Connectors over HTTP: the client and the policies included."""
    policies: float
    """Connectors without HTTP."""
    in_memory: float
    """The hub over connectors without HTTP, on the engine `memory`."""
    embedded: float
    """The same on the embedded engine."""
    whole: float
    """The hub over HTTP, on the embedded engine, silent."""
    logged: float
    """The same at INFO: what `throughput` measures."""
    purge: float
    """Deleting what has expired."""
    read: float
    """One more look at a final result."""


STAGES: Mapping[str, Stage] = {
    "client": client,
    "connectors": connectors,
    "policies": partial(connectors, make=instant),
    "in_memory": partial(whole, make=instant, storage=MEMORY),
    "embedded": partial(whole, make=instant),
    "whole": whole,
    "logged": partial(whole, level=Level.INFO),
    "purge": purge,
    "read": read,
}
"""What measures each of the fields of `Stages`."""

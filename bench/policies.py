"""What each policy adds to a call: connectors over a back end that answers at once, without any protocol."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from bench.load import Cost, in_the_air
from bench.questions import QUERY, people, runtime
from bench.stages import CONNECTORS, PATIENCE, WARM, WIDTH, Instant, offered
from esclusa.bootstrap import Runtime
from esclusa.config.settings import Configuration
from esclusa.connectors.backend import Abort, Done, Outcome, Question, Reason
from esclusa.connectors.connector import Connector
from esclusa.connectors.rest import RestSettings
from esclusa.connectors.settings import BreakerSettings, RetrySettings
from esclusa.hub.settings import QuerySettings
from esclusa.kernel.duration import Duration
from esclusa.kernel.instrument import Level

FAILED = Outcome(reason=Reason.BACKEND_ERROR, detail="Always", again=True)

Policed = Callable[[float], Coroutine[Any, Any, Cost]]
"""Asks under some policy for so many seconds."""


class Failing(Instant):
    """A back end whose every answer is an error, and that may be asked again."""

    def ask(self, question: Question, by: float, done: Done) -> Abort:  # noqa: ARG002 - whatever is asked
        """As `Backend.ask`."""
        return self._loop.call_soon(done, FAILED).cancel


async def unpoliced(seconds: float) -> Cost:
    """The back end asked with nothing around it."""
    async with runtime(Level.SILENT) as ours:
        question = Question(str(ours.ids.uuid()), QUERY, next(people()), {})

        def ask(backend: Instant, done: Callable[[object], None]) -> None:
            backend.ask(question, ours.clock.now() + PATIENCE, done)

        begin = [partial(ask, Instant()) for _ in range(CONNECTORS)]
        await in_the_air(begin, WIDTH, WARM)
        return await in_the_air(begin, WIDTH, seconds)


async def policed(
    seconds: float,
    *,
    concurrency: int = WIDTH,
    level: Level = Level.SILENT,
    backend: Callable[[], Instant] = Instant,
    reason: Reason | None = None,
    **policies: Any,
) -> Cost:
    """Under the policies as shipped, but for what is given."""
    settings = RestSettings(url="http://127.0.0.1/", concurrency=concurrency, timeout=Duration(50), **policies)
    configuration = Configuration(
        connectors={f"body{number}": settings for number in range(CONNECTORS)}, queries={QUERY: QuerySettings()}
    )

    def make(_: Configuration, ours: Runtime) -> Mapping[str, Connector]:
        return {
            name: Connector(name, backend(), each, ours.clock, ours.ids, ours.instrument)
            for name, each in configuration.connectors.items()
        }

    return await offered(configuration, WIDTH, seconds, make, level, reason)


POLICIES: Mapping[str, Policed] = {
    "none: the back end asked directly": unpoliced,
    "as shipped: time, concurrency, the line's bound, the breaker, the counters": policed,
    "and a rate of failures over a window": partial(policed, breaker=BreakerSettings(rate=0.5)),
    "and a wait in the line, for half of the calls": partial(policed, concurrency=WIDTH // 2),
    "and a log line": partial(policed, level=Level.INFO),
    "and a second attempt, after a rest": partial(
        policed,
        backend=Failing,
        reason=Reason.BACKEND_ERROR,
        retry=RetrySettings(attempts=2, first=Duration(0.001), most=Duration(0.001)),
    ),
}
"""The second is what the others are more than."""

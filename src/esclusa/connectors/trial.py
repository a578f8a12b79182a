"""One call to one back end, to be looked at: what was sent, what came, what became of it, and what the policies make of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from esclusa.connectors import retry
from esclusa.connectors.assembly import make_backend
from esclusa.connectors.backend import Outcome, Question
from esclusa.connectors.http.contexts import Contexts
from esclusa.connectors.mock import MockBackend
from esclusa.connectors.protocol import Workshop
from esclusa.connectors.settings import ConnectorSettings, CredentialsSettings
from esclusa.connectors.tap import Step, Tap
from esclusa.kernel.clock import Clock
from esclusa.kernel.ids import Ids


class Trial(msgspec.Struct, frozen=True):
    """How it went."""

    began: float
    """Seconds since the epoch."""
    ended: float
    steps: Sequence[Step]
    """In order. None for a back end that is made up."""
    outcome: Outcome
    """Of the one attempt that was made."""
    made_up: bool
    """There is no back end: a mock answered."""
    rests: Sequence[float]
    """Seconds that the policies would wait at most before each further attempt, if all went as this one did."""
    secrets: Sequence[str] = ()
    """What came on the way and is nobody's business, in clear."""

    @property
    def took(self) -> float:
        """Seconds."""
        return self.ended - self.began


async def tried(
    name: str,
    settings: ConnectorSettings,
    credentials: CredentialsSettings | None,
    question: Question,
    max_answer: int,
    clock: Clock,
) -> Trial:
    """Ask the back end of the connector `name` once, with nothing around it but its `timeout`. `ConfigurationError`."""
    tap = Tap(clock)
    backend = make_backend(name, settings, credentials, Workshop(clock, Ids(clock), max_answer, Contexts(), tap=tap))
    try:
        ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        began = clock.now()
        abort = backend.ask(question, began + settings.timeout, lambda said: None if ended.done() else ended.set_result(said))
        try:
            outcome = await ended
        except asyncio.CancelledError:
            abort()
            raise
        return Trial(
            began, clock.now(), tap.steps, outcome, isinstance(backend, MockBackend), _rests(settings, outcome), tap.secrets
        )
    finally:
        await backend.close()


def _rests(settings: ConnectorSettings, outcome: Outcome) -> Sequence[float]:
    rests: list[float] = []
    while (rest := retry.wait(settings.retry, len(rests) + 1, outcome, 1.0)) is not None:
        rests.append(rest)
    return rests

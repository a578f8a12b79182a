"""The other people: they ask too, so that the citizen's question is not the only one in the country.

What they ask is what makes some bodies the way they are: one has been failing for everybody, so that its breaker is open;
one has a long line, another a full one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count, cycle
from typing import Any, Protocol

from esclusa.connectors.backend import Reason
from esclusa.demo.lives import Draws, other
from esclusa.demo.names import TOWNS
from esclusa.edges.http.wire import ReceiptBody, SnapshotBody, SubmissionBody
from esclusa.kernel.clock import Clock
from esclusa.kernel.errors import EsclusaError

EVERY = 0.8
"""Seconds between two questions once everything is as it should be."""
_PATIENCE = 5.0
"""Seconds that `assemble` waits at most to see a body become as it should be."""
_ERRANDS = (
    ("vehiculos", None),
    ("prestaciones", "sepe"),
    ("vehiculos", None),
    ("propiedades", "registro-propiedad"),
    ("expedientes", "justicia"),
)
"""What they ask in turn, of one body or of all that the query concerns in their province."""


class Asker(Protocol):
    """Somebody with a key to the API."""

    async def submit(self, submission: SubmissionBody, /) -> ReceiptBody:
        """Ask. `EsclusaError` when that is refused."""

    def follow(self, receipt: ReceiptBody, /) -> AsyncIterator[SnapshotBody]:
        """What is known of a request, each time that there is more, until it is final."""


class Crowd:
    """Asks other people's questions through `asker`."""

    def __init__(self, asker: Asker, clock: Clock) -> None:
        self._asker = asker
        self._clock = clock
        self._people = map(other, count())

    async def assemble(self) -> None:
        """Ask what brings the bodies to where they should be, and see that they are; `EsclusaError` when it is refused.

        Afterwards the judiciary's breaker is open, the land registry has a line of more than a question's time, and the
        employment service's line is full. A body that has not become so after a few seconds stays as it is.
        """
        for _ in range(5):
            await self._asker.submit(self._question("propiedades", "registro-propiedad"))
        with suppress(TimeoutError):
            async with self._clock.timeout_at(self._clock.now() + _PATIENCE):
                while not await self._meets(Reason.CIRCUIT_OPEN, "expedientes", "justicia", people=4):
                    pass
                while not await self._meets(Reason.REJECTED, "prestaciones", "sepe", people=6):
                    pass

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """For as long as the context lasts one more question is asked every now and then."""
        asking = asyncio.ensure_future(self._go_on())
        try:
            yield
        finally:
            asking.cancel()
            await asyncio.wait([asking])
            if not asking.cancelled():
                asking.result()

    async def _go_on(self) -> None:
        for query, body in cycle(_ERRANDS):
            await self._clock.sleep(EVERY)
            with suppress(EsclusaError):  # the service may be full, or draining: it is they who come back
                await self._asker.submit(self._question(query, body))

    async def _meets(self, reason: Reason, query: str, body: str, *, people: int) -> bool:
        """Let so many people ask `body` at once; whether one of them meets `reason`."""
        receipts = [await self._asker.submit(self._question(query, body)) for _ in range(people)]
        answers = [asyncio.ensure_future(self._first(receipt)) for receipt in receipts]
        try:
            for answer in asyncio.as_completed(answers):
                if await answer == reason:
                    return True
        finally:
            for waiting in answers:
                waiting.cancel()
            await asyncio.wait(answers)
        return False

    async def _first(self, receipt: ReceiptBody) -> object:
        """The reason of a request's first answer."""
        async for snapshot in self._asker.follow(receipt):
            for answer in snapshot.answers:
                return answer.reason
        return None

    def _question(self, query: str, body: str | None) -> SubmissionBody:
        subject = next(self._people)
        params: dict[str, Any] = {}
        if body is None:
            params["province"] = Draws(subject).one("crowd", TOWNS).province
        return SubmissionBody(query=query, subject=subject, params=params, connectors=None if body is None else [body])

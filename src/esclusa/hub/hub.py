"""The hub's public service: ask, read, wait, follow, cancel; what may be asked and of whom."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from esclusa.hub.submission import Receipt, Submission

if TYPE_CHECKING:
    from esclusa.hub.cancel import Canceller
    from esclusa.hub.inventory import Inventory
    from esclusa.hub.lag import Lags, PoolLag
    from esclusa.hub.presence import ConnectorHealth, Presence, ProcessReport
    from esclusa.hub.results import Results
    from esclusa.hub.settings import QuerySettings
    from esclusa.hub.snapshot import Answer, Snapshot
    from esclusa.hub.submit import Submitter


class Hub:
    """Everything that a caller can do. Any number of them serve the same requests; none holds a request's state."""

    def __init__(
        self,
        inventory: Inventory,
        submitter: Submitter,
        results: Results,
        canceller: Canceller,
        presence: Presence,
        lags: Lags,
    ) -> None:
        self._inventory = inventory
        self._submitter = submitter
        self._results = results
        self._canceller = canceller
        self._presence = presence
        self._lags = lags

    async def submit(self, submission: Submission) -> Receipt:
        """Ask. Returns once the request and its envelopes are durable (H1).

        Raises `UnknownQuery`, `InvalidParams`, `InvalidSubject`, `IdempotencyMismatch`, `TooManyOpen`, `Unavailable`.
        """
        return await self._submitter.submit(submission)

    async def results(self, id: UUID, caller: str, *, data: bool = True) -> Snapshot:
        """What is known of a request now (H2); without `data`, heads only. Raises `NotFound`, `Unavailable`."""
        return await self._results.snapshot(id, caller, data=data)

    async def wait(self, id: UUID, caller: str, *, seconds: float, tag: str | None = None, data: bool = True) -> Snapshot:
        """As `results`, once its tag is another than `tag`, or is final, or `seconds` are over.

        Without `tag`: once there is one more answer than at arrival. Raises `NotFound`, `Unavailable`.
        """
        return await self._results.wait(id, caller, seconds=seconds, tag=tag, data=data)

    def follow(self, id: UUID, caller: str, *, after: str | None = None) -> AsyncGenerator[tuple[str, Answer | Snapshot], None]:
        """`(event id, answer)` for each answer that is not in `after`, as they come; at last `(event id, final snapshot)`.

        `after`: the last event id that the reader has; nothing comes if that was the end. The snapshot has heads only.
        Raises `NotFound`, `Unavailable`, at the first step.
        """
        return self._results.follow(id, caller, after=after)

    async def cancel(self, id: UUID, caller: str) -> None:
        """Stop asking and forget, now and for good. Raises `NotFound`, `Unavailable`."""
        await self._canceller.cancel(id, caller)

    def queries(self) -> Mapping[str, QuerySettings]:
        """What may be asked."""
        return self._inventory.queries

    async def connectors(self) -> list[ConnectorHealth]:
        """Every connector known here, with what the processes that serve it say of it."""
        return await self._presence.connectors()

    async def processes(self) -> list[ProcessReport]:
        """Every process that has said lately that it lives."""
        return await self._presence.processes()

    async def pools(self) -> list[PoolLag]:
        """Every pool, and how far behind it is, whether or not any process of it lives. Raises `Unavailable`."""
        return await self._lags.pools()

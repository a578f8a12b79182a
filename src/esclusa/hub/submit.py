"""Taking a question in: durable first, then the technical OK (H1). And taking it back.

In this order: the row of its idempotency key, the row of the request, one envelope a pool concerned, the mark that it is
asked, the receipt. A submission that fails half-way leaves rows that nobody knows of, and that expire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from esclusa.hub.results import HEADS
from esclusa.hub.stored import (
    ASKED,
    REQUEST,
    SUBMISSION,
    VERSION,
    Asked,
    Cancelled,
    Envelope,
    RequestHead,
    SubmissionHead,
    Times,
    decode,
    encode,
)
from esclusa.hub.submission import Receipt, Submission
from esclusa.hub.topics import CANCELS, PoolTopics
from esclusa.hub.validation import checked_params, checked_subject
from esclusa.kernel.errors import IdempotencyMismatch, StorageError, Unavailable, Unreadable
from esclusa.kernel.instrument import masked
from esclusa.ports.records import Row

if TYPE_CHECKING:
    from esclusa.hub.admission import Admission
    from esclusa.hub.inventory import Inventory
    from esclusa.hub.results import Results
    from esclusa.hub.settings import HubSettings, QuerySettings
    from esclusa.hub.vault import Sealer, Vault
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.ids import Ids
    from esclusa.kernel.instrument import Instrument
    from esclusa.ports.log import Log
    from esclusa.ports.records import Records

PATIENCE = 3.0
"""Seconds that storage has to take a submission; then it is refused."""
TOO_LATE = "The time in which it could have been asked has passed"


class Plan(msgspec.Struct, frozen=True):
    """A request that is going to be made, or made again: the same id, times, connectors and pools each time."""

    id: UUID
    times: Times
    connectors: list[str]
    pools: dict[str, list[str]]
    asked: Asked
    keyed: bool


class Submitter:
    """Makes requests, and cancels them. A part: while it drains, requests are refused and nothing else is."""

    def __init__(
        self,
        inventory: Inventory,
        topics: Mapping[str, PoolTopics],
        log: Log,
        records: Records,
        vault: Vault,
        results: Results,
        admission: Admission,
        settings: HubSettings,
        clock: Clock,
        ids: Ids,
        instrument: Instrument,
    ) -> None:
        self._inventory = inventory
        self._topics = topics
        self._log = log
        self._records = records
        self._vault = vault
        self._results = results
        self._admission = admission
        self._settings = settings
        self._clock = clock
        self._ids = ids
        self._instrument = instrument
        self._accepted = instrument.counter("esclusa_hub_requests_total", "Requests accepted, by query", "query")
        self._draining = False

    async def start(self) -> None:
        """Nothing runs."""

    async def drain(self) -> None:
        """Refuse what is submitted from now on: the process is about to end, and another one takes it."""
        self._draining = True

    async def stop(self) -> None:
        """Nothing is held."""

    async def submit(self, submission: Submission) -> Receipt:
        """Make the request durable, then answer. Raises what `Hub.submit` says."""
        with self._instrument.span("hub.submit", query=submission.query):
            return await self._submit(submission)

    async def _submit(self, submission: Submission) -> Receipt:
        if self._draining:
            raise Unavailable("The process is about to end", retry_after=1)
        query = self._inventory.query(submission.query)
        subject = checked_subject(query, submission.subject)
        params = checked_params(query, submission.params)
        connectors = self._inventory.concerned(submission.query, params, submission.connectors)
        asked = Asked(submission.caller, submission.query, subject, params)
        pools = self._inventory.by_pool(connectors)
        keyed = submission.idempotency_key is not None
        plan = Plan(self._ids.uuid(), self._times(query), connectors, pools, asked, keyed)
        try:
            async with self._clock.timeout_at(self._clock.now() + PATIENCE):
                return await self._make(plan, submission)
        except (StorageError, TimeoutError) as error:
            self._instrument.error("request refused: storage", query=submission.query, error=str(error) or "time over")
            raise Unavailable("The request could not be stored", retry_after=1) from error

    async def cancel(self, id: UUID, caller: str) -> None:
        """Delete the rows, leave a tombstone that beats any later write, then tell the pools."""
        look = await self._results.look(id.bytes, caller, bodies=HEADS)
        expires = look.view.request.times.expires
        try:
            await self._records.forget(id.bytes, expires)
        except StorageError as error:
            raise Unavailable("The request could not be cancelled", retry_after=1) from error
        self._admission.closed(id.bytes, complete=False)
        self._instrument.info("request cancelled", request=str(id))
        # It is gone by now; pools that do not hear of it only make calls in vain.
        await asyncio.wait({self._log.append(CANCELS, b"", encode(Cancelled(id.bytes, expires)))}, timeout=PATIENCE)

    def _times(self, query: QuerySettings) -> Times:
        created = self._clock.millis()
        ttl = round(query.ttl * 1000)
        settle = min(round(self._settings.settle * 1000), ttl // 4)
        kept = round(query.kept * 1000)
        return Times(created, created + ttl - settle, created + ttl, created + kept)

    async def _make(self, plan: Plan, submission: Submission) -> Receipt:
        sealer = await self._vault.sealer(plan.times.expires)
        key = None
        if submission.idempotency_key is not None:
            key = _digest(submission.caller, submission.idempotency_key)
            first, asked = await self._claim(key, plan, sealer, submission)
            if first is not plan:
                plan = first
                if asked:
                    return self._receipt(plan)
                if self._clock.millis() >= plan.times.call_by:
                    raise Unavailable(TOO_LATE)
                sealer = await self._vault.sealer(plan.times.expires)
        admitted = await self._admission.admit(
            plan.id.bytes,
            plan.asked.subject,
            created=plan.times.created,
            deadline=plan.times.deadline,
            connectors=len(plan.connectors),
        )
        try:
            await self._store(plan, sealer)
            self._admission.stored(plan.id.bytes)
            await self._append(plan, sealer)
        except StorageError:  # whatever else ends it here, it may well be asked: it counts until its deadline
            if admitted:
                self._admission.closed(plan.id.bytes, complete=False)
            raise
        if self._clock.millis() >= plan.times.call_by and plan.connectors:
            raise Unavailable(TOO_LATE)
        if key is not None:
            await self._records.put(key, [Row(ASKED, b"", b"", plan.times.expires)])
        if not plan.connectors:
            self._admission.closed(plan.id.bytes, complete=True)
        self._accepted.add(plan.asked.query)
        self._instrument.info(
            "request accepted",
            request=str(plan.id),
            query=plan.asked.query,
            subject=masked(plan.asked.subject),
            connectors=len(plan.connectors),
        )
        return self._receipt(plan)

    async def _store(self, plan: Plan, sealer: Sealer) -> None:
        """The row of the request."""
        id = plan.id.bytes
        head = encode(RequestHead(VERSION, plan.times, plan.connectors))
        body = sealer.seal(encode(plan.asked), id)
        await self._records.put(id, [Row(REQUEST, head, body, plan.times.expires)])

    async def _append(self, plan: Plan, sealer: Sealer) -> None:
        """An envelope a pool; all of them acknowledged."""
        id, plain = plan.id.bytes, encode(plan.asked)
        appends = []
        for pool, connectors in plan.pools.items():
            share = self._settings.max_request * len(connectors) // len(plan.connectors)
            allowance = max(share, self._settings.max_answer)
            envelope = Envelope(VERSION, id, plan.times, connectors, sealer.seal(plain, id), allowance, plan.keyed)
            appends.append(self._log.append(self._topics[pool].requests, id, encode(envelope)))
        await asyncio.gather(*appends)

    async def _claim(self, key: bytes, plan: Plan, sealer: Sealer, submission: Submission) -> tuple[Plan, bool]:
        """The plan made first under this idempotency key, and whether it has been asked (H8)."""
        fingerprint = _fingerprint(submission)
        mine = Row(
            SUBMISSION,
            encode(SubmissionHead(plan.id.bytes, plan.times, plan.connectors, plan.pools)),
            sealer.seal(fingerprint, key),
            plan.times.expires,
        )
        placed = await self._records.add(key, mine)
        if placed.head == mine.head:
            return plan, False
        try:
            if await self._vault.open(placed.body, key) != fingerprint:
                raise IdempotencyMismatch
        except Unreadable as error:
            raise Unavailable(TOO_LATE) from error
        head = decode(SubmissionHead, placed.head)
        first = Plan(UUID(bytes=head.id), head.times, head.connectors, self._pools(head), plan.asked, keyed=True)
        rows = await self._records.read(key, bodies=False)
        return first, any(row.name == ASKED for row in rows)

    def _pools(self, head: SubmissionHead) -> dict[str, list[str]]:
        """The pools as first routed: one that has been asked knows it, and another one asks nobody a second time.

        The connectors of a pool that is configured no more go where they are served now: nobody is left to ask them there.
        """
        there = {pool: connectors for pool, connectors in head.pools.items() if pool in self._topics}
        left = [name for pool, connectors in head.pools.items() if pool not in there for name in connectors]
        for pool, connectors in self._inventory.by_pool(left).items():
            there[pool] = [*there.get(pool, ()), *connectors]
        return there

    def _receipt(self, plan: Plan) -> Receipt:
        times = plan.times
        return Receipt(
            id=plan.id,
            query=plan.asked.query,
            created=times.created,
            deadline=times.deadline,
            expires=times.expires,
            retry_after=self._inventory.retry_after(plan.asked.query),
        )


def _digest(caller: str, key: str) -> bytes:
    """The records key of an idempotency key: (caller, key), unambiguous."""
    return blake2b(encode((caller, key)), digest_size=16, person=b"idempotency").digest()


def _fingerprint(submission: Submission) -> bytes:
    """Equal for submissions that say the same."""
    said = (submission.query, submission.subject, dict(submission.params), submission.connectors)
    return blake2b(msgspec.json.encode(said, order="sorted"), digest_size=32).digest()

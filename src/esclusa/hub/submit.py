"""Taking a question in: durable first, then the technical OK (H1).

In this order: the row of its idempotency key, the row of the request, one envelope a pool concerned, the mark that these are
acknowledged, the receipt. A submission that fails half-way leaves rows that nobody knows of, and that expire.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from esclusa.hub.idempotency import TOO_LATE, IdempotencyKeys, key_of
from esclusa.hub.plan import Plan
from esclusa.hub.stored import REQUEST, VERSION, Envelope, RequestHead, Times, UserQuestion, encode
from esclusa.hub.submission import Receipt, Submission
from esclusa.hub.validation import checked_params, checked_subject
from esclusa.kernel.errors import StorageError, Unavailable
from esclusa.kernel.instrument import masked
from esclusa.ports.records import Row

if TYPE_CHECKING:
    from esclusa.hub.admission import Admission
    from esclusa.hub.inventory import Inventory
    from esclusa.hub.settings import HubSettings, QuerySettings
    from esclusa.hub.topics import PoolTopics
    from esclusa.hub.vault import Sealer, Vault
    from esclusa.kernel.clock import Clock
    from esclusa.kernel.ids import Ids
    from esclusa.kernel.instrument import Instrument
    from esclusa.ports.log import Log
    from esclusa.ports.records import Records

PATIENCE = 3.0
"""Seconds that storage has to take a submission; then it is refused."""


class Submitter:
    """Makes requests. A part: while it drains, they are refused, and nothing else is."""

    def __init__(
        self,
        inventory: Inventory,
        topics: Mapping[str, PoolTopics],
        log: Log,
        records: Records,
        vault: Vault,
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
        self._admission = admission
        self._settings = settings
        self._clock = clock
        self._ids = ids
        self._instrument = instrument
        self._accepted = instrument.counter("esclusa_hub_requests_total", "Requests accepted, by query", "query")
        self._keys = IdempotencyKeys(topics, inventory, records, vault)
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
        question = UserQuestion(submission.caller, submission.query, subject, params)
        pools = self._inventory.by_pool(connectors)
        plan = Plan(self._ids.uuid(), self._times(query), connectors, pools, question)
        try:
            async with self._clock.timeout_at(self._clock.now() + PATIENCE):
                return await self._make(plan, submission)
        except (StorageError, TimeoutError) as error:
            self._instrument.error("request refused: storage", query=submission.query, error=str(error) or "time over")
            raise Unavailable("The request could not be stored", retry_after=1) from error

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
            key = key_of(submission.caller, submission.idempotency_key)
            first, acknowledged = await self._keys.claim(key, plan, sealer, submission)
            if first is not plan:
                plan = first
                if acknowledged:
                    return self._receipt(plan)
                if self._clock.millis() >= plan.times.call_by:
                    raise Unavailable(TOO_LATE)
                sealer = await self._vault.sealer(plan.times.expires)
        admitted = await self._admission.admit(
            plan.id.bytes,
            plan.question.subject,
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
            await self._keys.mark_acknowledged(key, plan.times.expires)
        if not plan.connectors:
            self._admission.closed(plan.id.bytes, complete=True)
        self._accepted.add(plan.question.query)
        self._instrument.info(
            "request accepted",
            request=str(plan.id),
            query=plan.question.query,
            subject=masked(plan.question.subject),
            connectors=len(plan.connectors),
        )
        return self._receipt(plan)

    async def _store(self, plan: Plan, sealer: Sealer) -> None:
        """Write the row of the request."""
        id = plan.id.bytes
        head = RequestHead(VERSION, plan.times, plan.connectors, sealer.seal(encode(plan.question), id))
        await self._records.put(id, [Row(REQUEST, encode(head), b"", plan.times.expires)])

    async def _append(self, plan: Plan, sealer: Sealer) -> None:
        """Append an envelope for each pool; done when all are acknowledged."""
        id, plain = plan.id.bytes, encode(plan.question)
        appends = []
        for pool, connectors in plan.pools.items():
            share = self._settings.max_request * len(connectors) // len(plan.connectors)
            allowance = max(share, self._settings.max_answer)
            envelope = Envelope(VERSION, id, plan.times, connectors, sealer.seal(plain, id), allowance)
            appends.append(self._log.append(self._topics[pool].requests, id, encode(envelope)))
        await asyncio.gather(*appends)

    def _receipt(self, plan: Plan) -> Receipt:
        times = plan.times
        return Receipt(
            id=plan.id,
            query=plan.question.query,
            created=times.created,
            deadline=times.deadline,
            expires=times.expires,
            retry_after=self._inventory.retry_after(plan.question.query),
        )

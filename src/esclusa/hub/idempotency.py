"""A question that may be sent again under one key is one request, asked once (H8).

One row named by (caller, key), put if absent, holds what was planned first and lives as long as the request. A second one
beside it says that all envelopes have been acknowledged: a repetition that finds it need do nothing.
"""

from __future__ import annotations

from collections.abc import Container
from hashlib import blake2b
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from esclusa.hub.plan import Plan
from esclusa.hub.stored import ACKNOWLEDGED, SUBMISSION, SubmissionHead, decode, encode
from esclusa.kernel.errors import IdempotencyMismatch, Unavailable, Unreadable
from esclusa.ports.records import Row

if TYPE_CHECKING:
    from esclusa.hub.inventory import Inventory
    from esclusa.hub.submission import Submission
    from esclusa.hub.vault import Sealer, Vault
    from esclusa.ports.records import Records

TOO_LATE = "The time in which it could have been asked has passed"


class IdempotencyKeys:
    """Which request was made under which idempotency key."""

    def __init__(self, pools: Container[str], inventory: Inventory, records: Records, vault: Vault) -> None:
        """`pools`: the names of all that are configured."""
        self._pools = pools
        self._inventory = inventory
        self._records = records
        self._vault = vault

    async def claim(self, key: bytes, plan: Plan, sealer: Sealer, submission: Submission) -> tuple[Plan, bool]:
        """The plan made first under this idempotency key, and whether its envelopes have been acknowledged (H8)."""
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
        first = Plan(UUID(bytes=head.id), head.times, head.connectors, self._routed(head), plan.question)
        rows = await self._records.read(key, bodies=False)
        return first, any(row.name == ACKNOWLEDGED for row in rows)

    def _routed(self, head: SubmissionHead) -> dict[str, list[str]]:
        """The pools as first routed: one that has been asked knows it, and another one asks nobody a second time.

        The connectors of a pool that is configured no more go where they are served now: nobody is left to ask them there.
        """
        there = {pool: connectors for pool, connectors in head.pools.items() if pool in self._pools}
        left = [name for pool, connectors in head.pools.items() if pool not in there for name in connectors]
        for pool, connectors in self._inventory.by_pool(left).items():
            there[pool] = [*there.get(pool, ()), *connectors]
        return there

    async def mark_acknowledged(self, key: bytes, expires: int) -> None:
        """Every envelope of the request under `key` has been acknowledged. `StorageError`."""
        await self._records.put(key, [Row(ACKNOWLEDGED, b"", b"", expires)])


def key_of(caller: str, key: str) -> bytes:
    """The records key of an idempotency key: (caller, key), unambiguous."""
    return blake2b(encode((caller, key)), digest_size=16, person=b"idempotency").digest()


def _fingerprint(submission: Submission) -> bytes:
    """Equal for submissions that say the same."""
    said = (submission.query, submission.subject, dict(submission.params), submission.connectors)
    return blake2b(msgspec.json.encode(said, order="sorted"), digest_size=32).digest()

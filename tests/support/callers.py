"""People who ask a process of the program, whatever is done to it, and the ledger outside of what they were told."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import httpx

from esclusa.kernel.clock import Clock
from support.country import Country
from support.poll import until
from support.program import Program, question

PRECISION = 0.05
"""Seconds by which the clock of the ledger and that of the process may differ: they are of one machine."""


class Ledger:
    """What callers were told, and what they saw: whatever it learns has to fit what it knows."""

    def __init__(self, country: Country) -> None:
        self.country = country
        self.accepted: dict[str, str] = {}
        """By idempotency key, the id."""
        self.calls: dict[tuple[str, str], int] = {}
        """How often a body had been called for a request when its answer was first shown."""
        self.shown: dict[tuple[str, str], Any] = {}
        """By request and body, the first answer that was shown."""
        self.final: dict[str, Any] = {}
        """By request, its final state."""

    def see(self, snapshot: dict[str, Any], asked: float) -> None:
        """Nothing that was shown changes, nothing final changes, and all is final for who has `asked` past the deadline."""
        request = snapshot["id"]
        final = not snapshot["queryMore"]
        names = [answer["connector"] for answer in snapshot["answers"]] + snapshot["pending"]
        assert sorted(names) == sorted(self.country.names)
        for answer in snapshot["answers"]:
            place = (request, answer["connector"])
            self.calls.setdefault(place, self.country.calls[place])
            assert self.shown.setdefault(place, answer) == answer
            if answer["state"] == "ok":
                assert answer["data"] == {"body": answer["connector"], "request": request}
        assert request not in self.final or final
        assert final or asked <= datetime.fromisoformat(snapshot["deadline"]).timestamp() + PRECISION
        if final:
            assert self.final.setdefault(request, snapshot) == snapshot


class Callers:
    """Eight people, each asking one question after the other, under a key each, until it is accepted or refused."""

    def __init__(self, program: Program, ledger: Ledger, *, queries: Sequence[str] = ("q",), patience: float = 10.0) -> None:
        """`queries`: asked in turns; `patience`: seconds after which they say the same again."""
        self.program = program
        self.ledger = ledger
        self.over = False
        self._clock = Clock()
        self._accepted = asyncio.Event()
        self._queries = itertools.cycle(queries)
        self._patience = patience
        self._people = [asyncio.create_task(self._ask()) for _ in range(8)]

    async def more(self, count: int) -> None:
        """Wait until so many more questions have been accepted."""
        goal = len(self.ledger.accepted) + count
        async with asyncio.timeout(20):
            while len(self.ledger.accepted) < goal:
                self._accepted.clear()
                await self._accepted.wait()

    async def end(self, *, seconds: float) -> None:
        """Nobody asks any more; every question that was accepted is looked at until it is final, for so many `seconds`."""
        self.over = True
        await asyncio.gather(*self._people)
        async with asyncio.timeout(seconds), self.program.client(self._patience) as client:
            for request in self.ledger.accepted.values():
                await self._look(client, request)
                while request not in self.ledger.final:
                    await self._look(client, request)

    async def _ask(self) -> None:
        async with self.program.client(self._patience) as client:
            while not self.over:
                key = str(uuid.uuid4())
                request = await self._submit(client, key, next(self._queries))
                if request is None:
                    continue
                self.ledger.accepted[key] = request
                self._accepted.set()
                for _ in range(3):
                    await self._look(client, request)

    async def _submit(self, client: httpx.AsyncClient, key: str, query: str) -> str | None:
        """The id; None when it is refused: what was asked under this key is past its time, or nothing can be stored."""
        while not self.over:
            try:
                answer = await client.post(
                    "/api/v1/requests", json={**question(), "query": query}, headers={"Idempotency-Key": key}
                )
            except httpx.TransportError:
                await until(self._reachable)
                continue
            if answer.status_code == httpx.codes.ACCEPTED:
                return str(answer.json()["id"])
            assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
            return None
        return None

    async def _look(self, client: httpx.AsyncClient, request: str) -> None:
        asked = self._clock.now()
        try:
            answer = await client.get(f"/api/v1/requests/{request}", headers={"Prefer": "wait=1"})
        except httpx.TransportError:
            await until(self._reachable)
            return
        assert answer.status_code == httpx.codes.OK, answer.text
        self.ledger.see(answer.json(), asked)

    async def _reachable(self) -> bool:
        return self.over or await self.program.answers("/health/live")

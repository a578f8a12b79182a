"""People who ask a process of the program, whatever is done to it, and the ledger outside of what they were told."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

import httpx

from esclusa.kernel.clock import Clock
from support.country import Country
from support.poll import until
from support.program import Program, question

PRECISION = 0.05
"""Seconds by which the clock of the ledger and that of the process may differ: they are of one machine."""


class Ledger:
    """What callers were told, and what they saw: whatever it learns has to fit what it knows."""

    def __init__(self, country: Country, *, precision: float = PRECISION) -> None:
        """`precision`: seconds by which the clocks of the processes may differ from its own."""
        self.country = country
        self.precision = precision
        self.accepted: dict[str, str] = {}
        """By idempotency key, the id."""
        self.calls: dict[tuple[str, str], int] = {}
        """How often a body had been called for a request when its answer was first shown."""
        self.shown: dict[tuple[str, str], Any] = {}
        """By request and body, the first answer that was shown."""
        self.final: dict[str, Any] = {}
        """By request, its final state."""

    def see(self, snapshot: dict[str, Any], looked: float) -> None:
        """Nothing that was shown changes, nothing final changes, and all is final for who has `looked` past the deadline."""
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
        assert final or looked <= datetime.fromisoformat(snapshot["deadline"]).timestamp() + self.precision
        if final:
            assert self.final.setdefault(request, snapshot) == snapshot


class Way:
    """Somebody's way to the hubs: one of them, until it fails; then the next."""

    def __init__(self, programs: Sequence[Program], first: int, patience: float) -> None:
        self._hubs = [(program, program.client(patience)) for program in programs]
        self._at = first % len(programs)

    @property
    def program(self) -> Program:
        """The hub that is asked now."""
        return self._hubs[self._at][0]

    @property
    def client(self) -> httpx.AsyncClient:
        """To that hub."""
        return self._hubs[self._at][1]

    def turn(self) -> None:
        """Go to the next one."""
        self._at = (self._at + 1) % len(self._hubs)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for _program, client in self._hubs:
            await client.aclose()


class Callers:
    """Eight people, each asking one question after the other, under a key each, until it is accepted or refused."""

    def __init__(
        self,
        program: Program,
        ledger: Ledger,
        *,
        others: Sequence[Program] = (),
        queries: Sequence[str] = ("q",),
        patience: float = 10.0,
        unreadable: bool = False,
    ) -> None:
        """`others`: further hubs, where one goes that is refused, or not served within `patience` seconds, at the first.

        `queries`: asked in turns; `unreadable`: whether results may be so for a while.
        """
        self.unreadable = unreadable
        self.programs = [program, *others]
        self.ledger = ledger
        self.over = False
        self.refusals: list[tuple[Program, httpx.Response]] = []
        """Who refused what."""
        self._clock = Clock()
        self._accepted = asyncio.Event()
        self._queries = itertools.cycle(queries)
        self._patience = patience
        self._people = [asyncio.create_task(self._ask(number)) for number in range(8)]

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
        async with asyncio.timeout(seconds), self._way(0) as way:
            for request in self.ledger.accepted.values():
                await self._look(way, request)
                while request not in self.ledger.final:
                    await self._look(way, request)

    def _way(self, number: int) -> Way:
        return Way(self.programs, number, self._patience)

    async def _ask(self, number: int) -> None:
        async with self._way(number) as way:
            while not self.over:
                key = str(uuid.uuid4())
                request = await self._submit(way, key, next(self._queries))
                if request is None:
                    continue
                self.ledger.accepted[key] = request
                self._accepted.set()
                for _ in range(3):
                    await self._look(way, request)

    async def _submit(self, way: Way, key: str, query: str) -> str | None:
        """The id; None when all refuse it: what was asked under this key is past its time, or nothing can be stored."""
        refused: set[Program] = set()
        while not self.over and refused != set(self.programs):
            try:
                answer = await way.client.post(
                    "/api/v1/requests", json={**question(), "query": query}, headers={"Idempotency-Key": key}
                )
            except httpx.TransportError:
                await self._elsewhere(way)
                continue
            if answer.status_code == httpx.codes.ACCEPTED:
                return str(answer.json()["id"])
            assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
            self.refusals.append((way.program, answer))
            refused.add(way.program)
            way.turn()
        return None

    async def _look(self, way: Way, request: str) -> None:
        looked = self._clock.now()
        try:
            answer = await way.client.get(f"/api/v1/requests/{request}", headers={"Prefer": "wait=1"})
        except httpx.TransportError:
            await self._elsewhere(way)
            return
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and "is starting" in answer.json()["detail"]:
            await self._elsewhere(way)  # it serves HTTP before anything else, and has not got further yet
            return
        if self.unreadable and answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            self.refusals.append((way.program, answer))
            way.turn()
            return
        assert answer.status_code == httpx.codes.OK, answer.text
        self.ledger.see(answer.json(), looked)

    async def _elsewhere(self, way: Way) -> None:
        """Go to the next hub, once it can be reached."""
        way.turn()

        async def reachable() -> bool:
            return self.over or await way.program.answers("/health/live")

        await until(reachable)

"""kill -9 at random moments under load, with a ledger outside as oracle (H7, H14; every 2xx survives)."""

from __future__ import annotations

import asyncio
import random
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from esclusa.kernel.clock import Clock
from support.country import Country
from support.program import Program, question

pytestmark = pytest.mark.real

BODIES = [f"body{number}" for number in range(6)]


class Ledger:
    """What callers were told, and what they saw."""

    def __init__(self, country: Country) -> None:
        self.country = country
        self.accepted: dict[str, str] = {}
        """By idempotency key, the id."""
        self.calls: dict[tuple[str, str], int] = {}
        """How often a body had been called for a request when its answer was first shown."""
        self.shown: dict[tuple[str, str], Any] = {}
        """By request and body, the first answer that was shown."""
        self.final: dict[str, Any] = {}

    def see(self, snapshot: dict[str, Any]) -> None:
        """Nothing that was shown changes, nothing final changes, whatever died meanwhile."""
        request = snapshot["id"]
        final = not snapshot["queryMore"]
        names = [answer["connector"] for answer in snapshot["answers"]] + snapshot["pending"]
        assert sorted(names) == BODIES
        for answer in snapshot["answers"]:
            place = (request, answer["connector"])
            self.calls.setdefault(place, self.country.calls[place])
            assert self.shown.setdefault(place, answer) == answer
            if answer["state"] == "ok":
                assert answer["data"] == {"body": answer["connector"], "request": request}
        assert request not in self.final or final
        if final:
            assert self.final.setdefault(request, snapshot) == snapshot


class Callers:
    """People who ask, and go on asking while nobody answers."""

    def __init__(self, program: Program, ledger: Ledger, clock: Clock) -> None:
        self.program = program
        self.ledger = ledger
        self.clock = clock
        self.over = False

    async def ask(self) -> None:
        """Submit under a key until it is accepted, then look until it is final."""
        async with self.program.client() as client:
            while not self.over:
                key = str(uuid.uuid4())
                request = await self.submit(client, key)
                if request is None:
                    return
                self.ledger.accepted[key] = request
                for _ in range(3):
                    await self.look(client, request)

    async def submit(self, client: httpx.AsyncClient, key: str) -> str | None:
        while not self.over:
            try:
                answer = await client.post("/api/v1/requests", json=question(), headers={"Idempotency-Key": key})
            except httpx.TransportError:
                await self.clock.sleep(0.05)
                continue
            if answer.status_code == httpx.codes.ACCEPTED:
                return str(answer.json()["id"])
            assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
        return None

    async def look(self, client: httpx.AsyncClient, request: str) -> None:
        try:
            answer = await client.get(f"/api/v1/requests/{request}", headers={"Prefer": "wait=1"})
        except httpx.TransportError:
            await self.clock.sleep(0.05)
            return
        assert answer.status_code == httpx.codes.OK, answer.text
        self.ledger.see(answer.json())


async def rounds(folder: Path, kills: int, seed: int) -> None:
    dice, clock = random.Random(seed), Clock()
    async with Country(BODIES, slowest=0.6, seed=seed).open() as country:
        ledger = Ledger(country)
        program = Program(folder, country.connectors())
        await program.start()
        try:
            callers = Callers(program, ledger, clock)
            people = [asyncio.create_task(callers.ask()) for _ in range(8)]
            for _ in range(kills):
                await clock.sleep(dice.uniform(0.2, 1.5))
                await program.kill()
                await program.start()
            await clock.sleep(1)
            callers.over = True
            await asyncio.gather(*people)
            await clock.sleep(8)
            async with program.client() as client:
                for request in ledger.accepted.values():
                    await callers.look(client, request)
            assert len(ledger.accepted) > 10 * kills
            assert ledger.final.keys() >= set(ledger.accepted.values())
            for request in ledger.accepted.values():
                for name in BODIES:
                    asked = country.calls[request, name]
                    assert asked <= 1 + kills
                    assert asked == ledger.calls[request, name], "called again after its answer was there"
                    assert asked or ledger.shown[request, name]["state"] == "ko"
            states = [snapshot["complete"] for snapshot in ledger.final.values()]
            assert states.count(True) > len(states) * 0.9
        finally:
            await program.kill()


@pytest.mark.timeout(120)
async def test_every_accepted_request_reaches_its_final_state_whatever_died(tmp_path: Path) -> None:
    await rounds(tmp_path, kills=5, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_fifty_rounds(tmp_path: Path) -> None:
    for seed in range(10):
        folder = tmp_path / str(seed)
        folder.mkdir()
        await rounds(folder, kills=5, seed=seed)

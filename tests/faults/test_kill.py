"""kill -9 at random moments under load, with a ledger outside as oracle (H7, H14; every 2xx survives)."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from support.callers import Callers, Ledger
from support.country import Country
from support.poll import pause
from support.program import Program

pytestmark = pytest.mark.real

BODIES = [f"body{number}" for number in range(6)]


async def rounds(folder: Path, kills: int, seed: int) -> None:
    dice = random.Random(seed)
    async with Country(BODIES, slowest=0.6, seed=seed).open() as country:
        ledger = Ledger(country)
        program = Program(folder, country.connectors())
        await program.start()
        try:
            callers = Callers(program, ledger)
            for _ in range(kills):
                await pause(dice.uniform(0.2, 1.5))
                await program.kill()
                await program.start()
            await callers.more(16)
            await callers.end(seconds=12)
            assert len(ledger.accepted) > 10 * kills
            assert ledger.final.keys() >= set(ledger.accepted.values())
            for request in ledger.accepted.values():
                for name in BODIES:
                    calls = country.calls[request, name]
                    assert calls <= 1 + kills
                    assert calls == ledger.calls[request, name], "called again after its answer was there"
                    assert calls or ledger.shown[request, name]["state"] == "ko"
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

"""An installation that people ask all the time while its engines are disturbed, and what it must have kept to in the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from support.callers import Callers, Ledger
from support.country import Country
from support.installation import Engines, InstalledPrograms, installed
from support.measured import measured, resident
from support.poll import until
from support.program import Program

BODIES = [f"body{number}" for number in range(6)]
BACK = 90.0
"""Seconds in which nothing is refused any more, on a busy machine."""
STEADY = 16
"""Questions in a row that are accepted once all is as before."""
REFUSED_WITHIN = 4.5
"""Seconds until a question is refused: three for the engines, and what a busy machine adds."""
GROWTH = 150 << 20
"""Bytes that a process may grow by."""


class ProgramScene:
    """A hub, a collector and two processes of connectors, asked by people all the time."""

    def __init__(self, installation: InstalledPrograms, programs: list[Program], callers: Callers) -> None:
        self.installation = installation
        self.programs = programs
        self.callers = callers

    async def accepted(self, count: int) -> None:
        """Wait until so many more questions have been accepted."""
        goal = len(self.callers.ledger.accepted) + count

        async def there() -> bool:
            return len(self.callers.ledger.accepted) >= goal

        await until(there, seconds=BACK)

    async def recovered(self, what: str) -> None:
        """Wait until nothing is refused any more. What is told is when the last one was refused, who had waited for that."""
        now, accepted, refusals = asyncio.get_running_loop().time, self.callers.ledger.accepted, self.callers.refusals
        begun = last = now()
        refused, goal = len(refusals), len(accepted) + STEADY

        async def steady() -> bool:
            nonlocal last, refused, goal
            if len(refusals) != refused:
                last, refused, goal = now(), len(refusals), len(accepted) + STEADY
            return len(accepted) >= goal

        await until(steady, seconds=BACK)
        measured(f"{what}: nothing is refused any more after", last - begun)


@asynccontextmanager
async def program_scene(
    engines: Engines, folder: Path, *, faults: int, query: str = 'ttl = "15s"'
) -> AsyncIterator[ProgramScene]:
    """Questions are accepted when it is entered; when it is left, all that were are final, and it fits.

    `faults`: how often a call may be made again because its answer had not been acknowledged.
    """
    country = Country(BODIES, slowest=0.4)
    async with installed(engines, folder, country, query=query) as it:
        hub, collector = it.program("hub", "hub", "purge"), it.program("collector", "collector")
        programs = [hub, collector, it.program("one", "connectors"), it.program("two", "connectors")]
        await it.start(*programs)
        callers = Callers(hub, Ledger(country), unreadable=True)
        play = ProgramScene(it, programs, callers)
        await play.accepted(STEADY)
        before = [memory(program) for program in programs]
        yield play
        await play.accepted(STEADY)
        await callers.end(seconds=BACK)
        check(callers, faults)
        grown = [memory(program) - size for program, size in zip(programs, before, strict=True)]
        assert max(grown) < GROWTH


def memory(program: Program) -> int:
    """Bytes that it has."""
    assert program.process is not None
    return resident(program.process.pid)


def check(callers: Callers, faults: int) -> None:
    """What was promised was kept; `Ledger` has seen to it that nothing changed, and that all was final at its deadline."""
    ledger = callers.ledger
    assert ledger.final.keys() >= set(ledger.accepted.values())
    again = 0
    for request in ledger.accepted.values():
        for name in ledger.country.names:
            calls = ledger.country.calls[request, name]
            assert calls <= 1 + faults
            assert calls == ledger.calls[request, name], "called again after its answer was there"
            again += max(calls - 1, 0)
    refusals = [answer for _, answer in callers.refusals]
    slowest = max((answer.elapsed.total_seconds() for answer in refusals), default=0.0)
    measured(f"{len(ledger.accepted)} accepted, {len(refusals)} refused, {again} calls again; slowest refusal", slowest)
    assert slowest < REFUSED_WITHIN
    assert all(answer.status_code == httpx.codes.SERVICE_UNAVAILABLE for answer in refusals)
    last = list(ledger.accepted.values())[-10:]
    assert all(ledger.final[request]["complete"] for request in last), "it has not recovered"

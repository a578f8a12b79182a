"""Clocks of processes that differ, by what is tolerated and by more (H41).

Within `[hub] skew` everything holds. Beyond it every request still becomes final by its deadline, nothing hangs, and
nobody reads anything later than its expiry by as much as the clocks differ; what may happen then is that a process that
takes over what another has left asks again who has answered, and that answers are shown no more in the last seconds before
their expiry.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import httpx
import pytest

from support.callers import PRECISION, Callers, Ledger
from support.country import Country
from support.installation import Engines, installed
from support.keyspaces import SOCKETS
from support.poll import until
from support.program import Program

pytestmark = [pytest.mark.real, pytest.mark.soak, SOCKETS, pytest.mark.timeout(240)]

JUMP = Path(__file__).parents[1] / "jump"
QUERY = 'ttl = "10s"\nkeep = "40s"'
BODIES = ["a", "b", "c"]
TOLERATED, MORE = 1.0, 5.0


def ahead(program: Program, seconds: float) -> Program:
    """The process has a clock that is ahead by so many `seconds`, or behind."""
    offset = program.folder / "offset"
    offset.write_text(f"{seconds}")
    program.environ = {"PYTHONPATH": str(JUMP), "ESCLUSA_TEST_JUMP": str(offset)}
    return program


async def expired(program: Program, request: str) -> bool:
    async with program.client() as client:
        return (await client.get(f"/api/v1/requests/{request}")).status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize("seconds", [TOLERATED, MORE])
async def test_processes_whose_clocks_differ(engines: Engines, tmp_path: Path, seconds: float) -> None:
    country = Country(BODIES, slowest=0.4)
    async with installed(engines, tmp_path, country, query=QUERY) as it:
        late, early = ahead(it.program("late", "hub", "purge"), -seconds / 2), ahead(it.program("early", "hub"), seconds / 2)
        collector = ahead(it.program("collector", "collector"), seconds / 2)
        pools = [ahead(it.program("one", "connectors"), seconds / 2), ahead(it.program("two", "connectors"), -seconds / 2)]
        await it.start(late, early, collector, *pools)
        ledger = Ledger(country, precision=seconds + PRECISION)
        callers = Callers(late, ledger, others=[early])
        for victim in pools:
            await callers.more(16)
            await victim.kill()
            await callers.more(8)
            await victim.start()
        await callers.more(16)
        await callers.end(seconds=30)
        assert ledger.final.keys() >= set(ledger.accepted.values())
        for request in ledger.accepted.values():
            for name in BODIES:
                calls = country.calls[request, name]
                assert calls <= 1 + len(pools)
                assert seconds > TOLERATED or calls == ledger.calls[request, name], "called again after its answer was there"
        assert all(ledger.final[request]["complete"] for request in list(ledger.accepted.values())[-8:])

        last = list(ledger.accepted.values())[-1]
        end = datetime.fromisoformat(ledger.final[last]["expiresAt"]).timestamp()
        for hub in (late, early):
            await until(lambda hub=hub: expired(hub, last), seconds=60)  # type: ignore[misc]  # mypy can't infer it
        assert country.clock.now() < end + seconds + 1
        for request in ledger.accepted.values():
            assert await expired(late, request)
            assert await expired(early, request)

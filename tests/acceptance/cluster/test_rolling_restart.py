"""Every process is restarted while people ask, connectors first, then collectors, then hubs: nobody notices (H7, H40)."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.callers import Callers, Ledger
from support.country import Country
from support.installation import Engines, installed

pytestmark = [pytest.mark.real, pytest.mark.timeout(150)]

BODIES = ["a", "b", "c", "d"]
ABOUT = {"The process is about to end", "This process is starting"}
"""What a hub says to who asks it meanwhile."""


async def test_nothing_is_lost_asked_twice_or_refused(engines: Engines, tmp_path: Path) -> None:
    country = Country(BODIES, slowest=0.5)
    async with installed(engines, tmp_path, country) as it:
        hubs = [it.program(f"hub{number}", "hub", "purge") for number in (1, 2)]
        collectors = [it.program(f"collector{number}", "collector") for number in (1, 2)]
        pools = [it.program(f"pool{number}", "connectors") for number in (1, 2)]
        await it.start(*hubs, *collectors, *pools)
        ledger = Ledger(country)
        callers = Callers(hubs[0], ledger, others=hubs[1:])
        for each in (*pools, *collectors, *hubs):
            await callers.more(8)
            before = len(callers.refusals)
            assert await each.terminate() == 0
            await callers.more(8)
            await each.start()
            refused = callers.refusals[before:]
            assert {program for program, _ in refused} <= {each} & set(hubs), "only a hub that ends or starts refuses"
            assert {answer.json()["detail"] for _, answer in refused} <= ABOUT
        await callers.more(16)
        await callers.end(seconds=30)
        assert ledger.final.keys() == set(ledger.accepted.values())
        assert [snapshot for snapshot in ledger.final.values() if not snapshot["complete"]] == []
        assert {place for place, count in country.calls.items() if count != 1} == set()
        assert len(country.calls) == len(BODIES) * len(ledger.final)

"""Several processes on real Kafka and Cassandra, any of which may die, with a ledger outside as oracle (H5, H7, H14)."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.callers import Callers, Ledger
from support.country import Country
from support.installation import Engines, installed

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

BODIES = [f"body{number}" for number in range(6)]


async def test_whichever_process_dies_every_accepted_request_reaches_its_final_state(tmp_path: Path) -> None:
    country = Country(BODIES, slowest=0.4)
    async with Engines(tmp_path / "engines") as engines, installed(engines, tmp_path, country, query='ttl = "15s"') as it:
        ledger = Ledger(country)
        hub = it.program("hub", "hub", "purge")
        others = [it.program("collector", "collector"), it.program("one", "connectors"), it.program("two", "connectors")]
        await it.start(hub, *others)
        callers = Callers(hub, ledger)
        for victim in (*others, hub):
            await callers.more(10)
            await victim.kill()
            await callers.more(0 if victim is hub else 5)
            await victim.start()
        await callers.more(20)
        await callers.end(seconds=30)
        assert ledger.final.keys() >= set(ledger.accepted.values())
        for request in ledger.accepted.values():
            for name in BODIES:
                calls = country.calls[request, name]
                assert calls <= 1 + len(others)
                assert calls == ledger.calls[request, name], "called again after its answer was there"
        last = list(ledger.final.values())[-10:]
        assert all(snapshot["complete"] for snapshot in last), "it has not recovered"

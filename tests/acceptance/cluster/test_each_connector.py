"""Each connector may be a consumer group of its own, and go at its own pace (H21)."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.callers import Callers, Ledger
from support.country import Country
from support.installation import Engines, installed

pytestmark = [pytest.mark.real, pytest.mark.timeout(90)]

EACH = '[pools.default]\nconsumers = "connector"\npartitions = 4\n'


async def test_each_shares_its_work_and_whoever_dies_is_replaced(engines: Engines, tmp_path: Path) -> None:
    country = Country(["a", "b", "c", "d"], slowest=0.2)
    async with installed(engines, tmp_path, country, query='ttl = "25s"', more=EACH) as it:
        hub = it.program("hub", "hub", "collector")
        one, two = it.program("one", "connectors"), it.program("two", "connectors")
        await it.start(hub, one, two)
        ledger = Ledger(country)
        callers = Callers(hub, ledger)
        await callers.more(20)
        await one.kill()
        await callers.more(20)
        await one.start()
        await callers.more(20)
        await callers.end(seconds=40)
        assert ledger.final.keys() >= set(ledger.accepted.values())
        assert all(snapshot["complete"] for snapshot in ledger.final.values())
        for request in ledger.accepted.values():
            for name in country.names:
                calls = country.calls[request, name]
                assert 1 <= calls <= 2
                assert calls == ledger.calls[request, name], "called again after its answer was there"

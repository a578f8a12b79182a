"""Several processes on real Kafka and Cassandra, any of which may die, with a ledger outside as oracle (H5, H14, H20, H40)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from dev.cassandra import Cassandra
from dev.kafka import Kafka

from support.callers import Callers, Ledger
from support.country import Country
from support.program import Program

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

BODIES = [f"body{number}" for number in range(6)]


@asynccontextmanager
async def engines(folder: Path) -> AsyncIterator[str]:
    """One broker and one node: what `[esclusa]` has to say of them."""
    async with Kafka(folder / "engines") as kafka, Cassandra(folder / "engines") as cassandra:
        yield (
            f'log = "kafka"\nrecords = "cassandra"\n[kafka]\nservers = {json.dumps(kafka.addresses)}\n'
            f"[cassandra]\nhosts = {json.dumps(cassandra.addresses)}\nreplication = 1"
        )


def program(folder: Path, name: str, country: Country, said: str, roles: Sequence[str]) -> Program:
    """One process of the installation."""
    own = folder / name
    own.mkdir()
    return Program(own, country.connectors(), query='ttl = "15s"', engines=said, roles=roles)


async def test_whichever_process_dies_every_accepted_request_reaches_its_final_state(tmp_path: Path) -> None:
    async with engines(tmp_path) as said, Country(BODIES, slowest=0.4).open() as country:
        ledger = Ledger(country)
        hub = program(tmp_path, "hub", country, said, ["hub", "purge"])
        others = [
            program(tmp_path, name, country, said, [role])
            for name, role in (("collector", "collector"), ("one", "connectors"), ("two", "connectors"))
        ]
        try:
            for each in (hub, *others):
                await each.start()
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
                    asked = country.calls[request, name]
                    assert asked <= 1 + len(others)
                    assert asked == ledger.calls[request, name], "called again after its answer was there"
            last = list(ledger.final.values())[-10:]
            assert all(snapshot["complete"] for snapshot in last), "it has not recovered"
        finally:
            for each in (hub, *others):
                await each.kill()

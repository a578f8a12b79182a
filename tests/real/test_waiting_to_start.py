"""Everything starts at once, and what the program stands on comes last: processes wait, and say so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from support.country import Country
from support.installation import Engines, installed
from support.poll import until
from support.program import Program, lines, question

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

AT_ONCE = 10.0
"""Seconds in which a process that waits has ended: as many as a try to connect may take, and what a busy machine adds."""


async def why(program: Program) -> str:
    """Why it isn't ready, in its own words; empty: it is, or it doesn't answer yet."""
    if not await program.answers("/health/live"):
        return ""
    async with program.client() as client:
        said = (await client.get("/health/ready")).json()
    return str(said.get("detail", ""))


async def waits_for(program: Program, words: str) -> None:
    async def waits() -> bool:
        return words in await why(program)

    await until(waits, seconds=60)


async def test_processes_that_are_there_first_wait_for_their_storage_and_then_work(tmp_path: Path) -> None:
    async with (
        Engines(tmp_path / "engines") as engines,
        installed(engines, tmp_path, Country(["a", "b"], slowest=0.05)) as it,
    ):
        (broker,), (node,) = engines.kafka.nodes, engines.cassandra.nodes
        await asyncio.gather(broker.kill(), node.kill())
        hub, collector, connectors, spare = programs = [
            it.program(role, role) for role in ("hub", "collector", "connectors", "purge")
        ]
        for program in programs:
            await program.start(ready=False)
        for program in programs:
            await waits_for(program, "no node of Cassandra can be reached: nobody listens there")
        async with hub.client() as client:
            refused = await client.post("/api/v1/requests", json=question())
        assert (refused.status_code, refused.json()["detail"]) == (503, "This process is starting")
        assert int(refused.headers["Retry-After"]) > 0

        async with asyncio.timeout(AT_ONCE):
            assert await spare.terminate() == 0
        assert [line["event"] for line in lines(spare.log())][-1] == "stopped"

        await node.start()
        await node.ready()
        for program in (hub, collector, connectors):
            await waits_for(program, "is not there: look at kafka.servers")
        await broker.start()
        await broker.ready()
        for program in (hub, collector, connectors):
            await until(program.ready, seconds=60)

        async with hub.client() as client:
            accepted = await client.post("/api/v1/requests", json=question())
            assert accepted.status_code == 202

            async def complete() -> bool:
                return bool((await client.get(accepted.headers["Location"])).json()["complete"])

            await until(complete)
        for program in (hub, collector, connectors):
            said = [line["reason"] for line in lines(program.log()) if line["event"] == "waiting to start"]
            assert len(said) < 20, "calmly"
            assert await program.terminate() == 0

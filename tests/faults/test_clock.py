"""The machine's clock is set while the process runs, and between two runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from support.country import Country
from support.program import Program, question

pytestmark = pytest.mark.real


async def complete(client: httpx.AsyncClient, url: str) -> bool:
    async with asyncio.timeout(9):
        while (answer := await client.get(url, headers={"Prefer": "wait=5"})).json()["queryMore"]:
            pass
    return bool(answer.json()["complete"])


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
async def test_a_running_process_does_not_notice(tmp_path: Path, jump: float) -> None:
    async with Country(["a", "b"], slowest=1).open() as country:
        program = Program(tmp_path, country.connectors())
        offset = tmp_path / "offset"
        offset.write_text("0")
        program.environ = {"PYTHONPATH": str(Path(__file__).with_name("jump")), "ESCLUSA_TEST_JUMP": str(offset)}
        await program.start()
        try:
            async with program.client() as client:
                before = (await client.post("/api/v1/requests", json=question())).headers["location"]
                offset.write_text(str(jump))
                after = (await client.post("/api/v1/requests", json=question())).headers["location"]
                assert await complete(client, before)
                assert await complete(client, after)
        finally:
            await program.kill()


async def test_a_clock_set_back_a_little_between_two_runs_loses_nothing(tmp_path: Path) -> None:
    async with Country(["a", "b"], slowest=2).open() as country:
        program = Program(tmp_path, country.connectors())
        offset = tmp_path / "offset"
        offset.write_text("0")
        program.environ = {"PYTHONPATH": str(Path(__file__).with_name("jump")), "ESCLUSA_TEST_JUMP": str(offset)}
        await program.start()
        try:
            async with program.client() as client:
                url = (await client.post("/api/v1/requests", json=question())).headers["location"]
                await program.kill()
                offset.write_text("-2")
                await program.start()
                assert await complete(client, url)
        finally:
            await program.kill()

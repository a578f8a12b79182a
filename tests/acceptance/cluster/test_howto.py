"""The first five minutes of docs/howto/cluster.md, as its reader spends them (H7, H42)."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from pathlib import Path

import pytest

from support.installation import Engines
from support.poll import until
from support.program import free_port

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

EXAMPLE = Path(__file__).parents[3] / "examples" / "two-bodies"
ESCLUSA = str(Path(sys.executable).with_name("esclusa"))


async def test_the_tutorials_bodies_are_asked_by_processes_of_which_one_is_killed(engines: Engines, tmp_path: Path) -> None:
    bodies = free_port()
    environ = os.environ | {
        "KAFKA": engines.kafka.addresses[0],
        "CASSANDRA": engines.cassandra.addresses[0],
        "BODIES": f"http://127.0.0.1:{bodies}",
        "TUTORIAL_KEY": "a-key-for-the-tutorial",
        "DATA": str(tmp_path / "first"),
    }
    processes: list[Process] = []

    async def start(*words: str, data: str = "first") -> Process:
        own = environ | {"DATA": str(tmp_path / data), "LISTEN": f"127.0.0.1:{free_port()}"}
        process = await asyncio.create_subprocess_exec(
            *words, cwd=EXAMPLE, env=own, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
        )
        processes.append(process)
        return process

    async def said(*words: str) -> str:
        """What the program prints; empty where it ends with an error."""
        process = await asyncio.create_subprocess_exec(ESCLUSA, *words, cwd=EXAMPLE, env=environ, stdout=PIPE, stderr=STDOUT)
        text = (await process.communicate())[0].decode()
        return text if process.returncode == 0 else ""

    async def serving() -> set[str]:
        """The roles of all processes that there are."""
        found = await said("status", "--config", "cluster.toml", "--json")
        return {role for each in json.loads(found)["processes"] for role in each["roles"]} if found else set()

    async def everything() -> bool:
        return await serving() == {"hub", "collector", "purge", "connectors"}

    async def complete() -> bool:
        answers = json.loads(await said("ask", "about-me", "--subject", "12345678Z", "--config", "cluster.toml", "--json"))
        return bool(answers["complete"]) and len(answers["answers"]) == 2

    try:
        await start(sys.executable, "-m", "http.server", str(bodies), "--bind", "127.0.0.1", "--directory", "bodies")
        assert "is sound" in await said("check", "cluster.toml")
        await start(ESCLUSA, "run", "cluster.toml", "--role", "hub", "--role", "collector", "--role", "purge")
        second = await start(ESCLUSA, "run", "cluster.toml", "--role", "connectors", data="second")
        await until(everything, seconds=60)
        assert await complete()
        assert "not all processes" not in await said("status", "--config", "cluster.toml")
        await start(ESCLUSA, "run", "cluster.toml", "--role", "connectors", data="third")
        second.kill()
        await second.wait()
        assert await until(complete, seconds=60), "the third one has not taken over"
    finally:
        for each in processes:
            if each.returncode is None:
                each.kill()
                await each.wait()

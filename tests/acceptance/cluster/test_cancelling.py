"""Who cancels at a hub is heard in the processes that ask the bodies (H8)."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from support.asking import PATIENCE, ask, final, id_of, polled
from support.country import Country
from support.installation import Engines, installed
from support.poll import until

pytestmark = [pytest.mark.real, pytest.mark.timeout(60)]

LONG = 8.0
"""Seconds that a call takes of which nothing is to be seen after a second."""


async def test_what_waits_in_line_is_never_asked_and_what_is_in_the_air_is_cut(engines: Engines, tmp_path: Path) -> None:
    country = Country(["quick", "slow", "writes"], slowest=0)
    country.delays = {"slow": LONG, "writes": 2.0}
    async with installed(engines, tmp_path, country) as it:
        it.connectors = (
            country.connectors("quick") + country.connectors("slow", concurrency=1, timeout="20s")
            + country.connectors("writes", method="POST")
        )  # fmt: skip
        one, two = it.program("one", "hub"), it.program("two", "hub")
        await it.start(one, two, it.program("collector", "collector"), it.program("pool", "connectors"))
        async with one.client(PATIENCE) as first, two.client(PATIENCE) as second:
            in_the_air = await ask(first)

            async def called() -> int:
                return country.busy["slow"]

            await until(called)
            in_line = await ask(first)
            async for _, snapshot in polled(first, in_line):
                if snapshot["answers"]:  # so it has been handed out, to all
                    break
            for url in (in_line, in_the_air):
                assert (await second.delete(url)).status_code == httpx.codes.NO_CONTENT

            async def cut() -> bool:
                return country.cut[id_of(in_the_air), "slow"] == 1

            await until(cut, seconds=LONG / 2)
            country.delays["slow"] = 0.0
            assert (await final(first, await ask(first)))["complete"]
            assert (id_of(in_line), "slow") not in country.calls

            async def written() -> bool:
                """What changes something is not cut half-way."""
                return {(id_of(url), "writes") for url in (in_line, in_the_air)} <= country.answered.keys()

            await until(written, seconds=5)
            assert sum(country.cut.values()) == 1
            assert set(country.calls.values()) == {1}

"""The configuration changes while the service is at work, and whoever asked notices nothing (H40)."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from support.callers import Callers, Ledger
from support.country import Country
from support.poll import until
from support.program import Program, lines

pytestmark = pytest.mark.timeout(60)

REFUSED = "configuration refused, the one before stays"


async def said(program: Program, event: str, times: int) -> None:
    """The log has `event` so many times."""

    async def look() -> bool:
        return [line["event"] for line in lines(program.log())].count(event) == times

    await until(look)


async def test_connectors_change_under_load_and_nothing_is_lost_or_asked_twice(tmp_path: Path) -> None:
    async with Country(["one", "two"], slowest=0.3).open() as country:
        program = Program(tmp_path, country.connectors(), query='ttl = "8s"\nconnectors = ["one", "two"]')
        whole = program.file.read_text()
        versions = [
            whole.replace("[connectors.one]", '[connectors.one]\ntimeout = "4s"'),
            whole.replace("[connectors.two]", "[connectors.two]\nconcurrency = 2"),
            f'{whole}\n[connectors.three]\nurl = "http://three.invalid/"\n',
        ]
        await program.start()
        try:
            ledger = Ledger(country)
            callers = Callers(program, ledger)
            for number in range(9):
                await callers.more(5)
                program.file.write_text(versions[number % 3])
                program.signal(signal.SIGHUP)
                await said(program, "configuration taken", number + 1)
            program.file.write_text(whole.replace("ttl", "tll"))
            program.signal(signal.SIGHUP)
            await said(program, REFUSED, 1)
            await callers.more(5)
            await callers.end(seconds=20)
            assert ledger.final.keys() >= set(ledger.accepted.values())
            assert all(snapshot["complete"] for snapshot in ledger.final.values())
            assert set(country.calls.values()) == {1}
            (refused,) = [line for line in lines(program.log()) if line["event"] == REFUSED]
            assert 'did you mean "ttl"' in refused["mistakes"][0]
            assert await program.terminate() == 0
        finally:
            await program.kill()

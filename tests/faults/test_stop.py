"""The process is stopped for a while, as by a debugger or a machine that swaps, and goes on as if nothing had been."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx
import pytest

from support.callers import Callers, Ledger
from support.country import Country
from support.poll import pause
from support.program import Program

pytestmark = pytest.mark.real

STOPPED = 3.0
"""Seconds: longer than who asks `q` waits, shorter than who asks `patient` does."""
PATIENT = '[queries.patient]\nttl = "20s"'


@pytest.mark.parametrize("patience", [10.0, 1.5], ids=["they wait", "they say it again"])
async def test_who_was_accepted_before_is_answered_after_and_nothing_is_asked_twice(tmp_path: Path, patience: float) -> None:
    async with Country(["a", "b", "c"], slowest=0.6).open() as country:
        country.delays = {"a": 0.1, "b": 0.3, "c": 0.6}
        ledger = Ledger(country)
        program = Program(tmp_path, country.connectors(), query='ttl = "2s"', more=PATIENT)
        await program.start()
        try:
            callers = Callers(program, ledger, queries=["q", "patient"], patience=patience)
            await callers.more(16)
            program.signal(signal.SIGSTOP)
            await pause(STOPPED)
            at_hand = set(ledger.accepted.values()) - ledger.final.keys()
            program.signal(signal.SIGCONT)
            await callers.more(16)
            await callers.end(seconds=25)
            async with program.client() as client:
                assert (await client.get("/health/ready")).status_code == httpx.codes.OK
        finally:
            await program.kill()
        # `Ledger` has seen to it that whoever looked past a deadline was shown what is final, and that nothing changed.
        assert ledger.final.keys() == set(ledger.accepted.values())
        assert set(country.calls.values()) == {1}
        # A deadline that lay within the stop costs answers; one beyond it none.
        patient = [snapshot for snapshot in ledger.final.values() if snapshot["query"] == "patient"]
        assert [answer for snapshot in patient for answer in snapshot["answers"] if answer["state"] == "ko"] == []
        assert {ledger.final[request]["query"] for request in at_hand} == {"q", "patient"}, "nobody was waiting at the time"

from __future__ import annotations

import asyncio
import shutil
import sys
from typing import Any

import pytest

from esclusa.demo.bodies import BODIES
from esclusa.demo.country_process import country_process
from esclusa.kernel.clock import Clock


async def test_the_country_is_there_for_as_long_as_the_context_lasts(ask: Any) -> None:
    async with country_process(Clock()) as ports:
        assert list(ports) == [body.name for body in BODIES]
        assert (await ask(ports["uned"], "/students/99002727D/records")).status == 401
    with pytest.raises(ConnectionRefusedError):
        await ask(ports["uned"], "/students/99002727D/records")


async def test_it_ends_with_who_is_cancelled(ask: Any) -> None:
    known: asyncio.Future[dict[str, int]] = asyncio.get_running_loop().create_future()

    async def visit() -> None:
        async with country_process(Clock()) as ports:
            known.set_result(ports)
            await asyncio.Event().wait()

    visiting = asyncio.ensure_future(visit())
    ports = await known
    visiting.cancel()
    await asyncio.wait([visiting])
    with pytest.raises(ConnectionRefusedError):
        await ask(ports["uned"], "/students/99002727D/records")


async def test_one_that_does_not_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(ChildProcessError, match="did not start"):
        async with country_process(Clock()):
            pass

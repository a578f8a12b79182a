"""What `esclusa demo` leaves behind; what it shows is proved in tests/acceptance."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest


@asynccontextmanager
async def demo(*arguments: str) -> AsyncIterator[tuple[Process, Path]]:
    """The command at work, and the folder where it makes its own."""
    command = [str(Path(sys.executable).with_name("esclusa")), "demo", *arguments]
    with tempfile.TemporaryDirectory() as temporary:  # short, for there is a socket in it
        environ = os.environ | {"TMPDIR": temporary}
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, env=environ)
        try:
            yield process, Path(temporary)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def line(process: Process) -> str:
    assert process.stdout
    return (await process.stdout.readline()).decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interruption_ends_it_with_nothing_left_behind(number: signal.Signals) -> None:
    async with demo() as (process, temporary):
        assert "public bodies are at work" in await line(process)
        assert len(list(temporary.iterdir())) == 1
        process.send_signal(number)
        assert await asyncio.wait_for(process.wait(), 15) == 130
        assert list(temporary.iterdir()) == []


async def test_a_subject_that_is_none_is_refused_in_words() -> None:
    async with demo("--subject", "12345678A", "--json") as (process, temporary):
        assert process.stdout
        assert b"invalid-subject" in await process.stdout.read()
        assert await process.wait() == 4
        assert list(temporary.iterdir()) == []

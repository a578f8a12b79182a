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

from esclusa.cli import main
from esclusa.cli.exits import Exit


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


@pytest.mark.parametrize("subject", ["12345678A", "B64717838", "nobody"])
def test_a_subject_that_is_nobody_is_a_mistake_before_anything_starts(subject: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--subject", subject]) == Exit.MISTAKE
    assert f"{subject} is nobody's NIF or NIE: try 99002727D" in capsys.readouterr().err

"""What `esclusa demo` leaves behind; what it shows is proved in tests/acceptance."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from esclusa.cli import main
from esclusa.cli.exits import Exit


@asynccontextmanager
async def demo(temporary: Path) -> AsyncIterator[Process]:
    """The command at work, which makes its folder in `temporary`."""
    command = [str(Path(sys.executable).with_name("esclusa")), "demo"]
    environ = os.environ | {"TMPDIR": str(temporary)}
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=environ)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()  # to its end: the country has the same standard error


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Where temporary folders are made: short, for there is a socket in it."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def inside(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def line(process: Process) -> str:
    assert process.stdout
    return (await process.stdout.readline()).decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interruption_ends_it_with_nothing_left_behind(number: signal.Signals, temporary: Path) -> None:
    async with demo(temporary) as process:
        assert "public bodies are at work" in await line(process)
        assert len(inside(temporary)) == 1
        process.send_signal(number)
        assert await asyncio.wait_for(process.wait(), 15) == 130
        assert inside(temporary) == []


async def test_of_one_that_is_killed_nothing_goes_on_and_the_next_removes_what_it_left(temporary: Path) -> None:
    async with demo(temporary) as killed:
        assert "public bodies are at work" in await line(killed)
        killed.kill()
        assert killed.stderr
        await asyncio.wait_for(killed.stderr.read(), 15)  # its end: the country, which has it too, has gone
    (left,) = inside(temporary)
    async with demo(temporary) as another:
        assert "public bodies are at work" in await line(another)
        (own,) = inside(temporary)
        assert own != left


@pytest.mark.parametrize("subject", ["12345678A", "B64717838", "nobody"])
def test_a_subject_that_is_nobody_is_a_mistake_before_anything_starts(subject: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--subject", subject]) == Exit.MISTAKE
    assert f"{subject} is nobody's NIF or NIE: try 99002727D" in capsys.readouterr().err

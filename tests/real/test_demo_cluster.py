"""Somebody who has Java, Maven and nginx runs `make demo-cluster`, and kills what he likes (H5, H14, H20)."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rules.tree import ROOT

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

PROCESS = re.compile(r"^([a-z]+(?:-\d)?) +\S.* pid (\d+) ")
ANSWER = re.compile(r"^(?:ok|KO) +\S+ s  (.+?): .*?(?:\[(.+) > (collector-\d)\])?$")
BODIES = 34


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Where the demo makes its folder: short, for there are sockets in it."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@asynccontextmanager
async def demo(temporary: Path, *options: str) -> AsyncIterator[Process]:
    command = [sys.executable, "-m", "dev.demo", *options]
    environ = os.environ | {"TMPDIR": str(temporary)}
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env=environ)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def said(process: Process) -> AsyncIterator[str]:
    """Its lines, when they come."""
    assert process.stdout
    async for line in process.stdout:
        yield line.decode().rstrip("\n")


def left(temporary: Path) -> list[int]:
    """Processes that have been started by this demo and are there: each inherits where temporary files are."""
    mark = f"TMPDIR={temporary}".encode()
    found = []
    for each in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in each.read_bytes().split(b"\0"):
                found.append(int(each.parent.name))
        except OSError:  # it has ended, or is another's
            continue
    return found


def files(temporary: Path) -> list[Path]:
    return list(temporary.iterdir())


async def test_a_question_is_answered_though_a_process_of_each_kind_is_killed_and_nothing_is_left(temporary: Path) -> None:
    lines, pids, back = list[str](), dict[str, int](), set[str]()
    victims = ["hub-1", "collector-1", "connectors-1", "slow-1"]
    async with demo(temporary, "--once") as process:
        async for line in said(process):
            lines.append(line)
            if found := PROCESS.match(line):
                pids.setdefault(found[1], int(found[2]))
            if ANSWER.match(line):
                for victim in victims:
                    os.kill(pids[victim], signal.SIGKILL)
                victims = []
            if found := re.match(r"(\S+) is back ", line):
                if not back:  # and when the others are on their way, what stands before all of them
                    os.kill(pids["nginx"], signal.SIGKILL)
                back.add(found[1])
        assert await process.wait() == 0
    text = "\n".join(lines)
    answers = [found.groups() for line in lines if (found := ANSWER.match(line))]
    assert len({name for name, _, _ in answers}) == len(answers) == BODIES, text
    assert re.search(rf"^incomplete: 2\d of {BODIES} bodies in ", text, re.MULTILINE), text
    assert "no_answer" not in text
    assert back == {"hub-1", "collector-1", "connectors-1", "slow-1", "nginx"}
    callers = {caller for _, called, _ in answers if called for caller in called.split(", ")}
    assert callers > {"slow-1"}, "both pools have called"
    assert callers <= {"connectors-1", "connectors-2", "slow-1"}
    assert {recorder for _, _, recorder in answers if recorder} <= {"collector-1", "collector-2"}
    assert sum(called is not None for _, called, _ in answers) > BODIES // 2, "of most it is known who did what"
    assert re.search(r"^hub-[12] served the last look$", text, re.MULTILINE)
    assert left(temporary) == []
    assert files(temporary) == []


async def test_an_interruption_ends_everything_within_seconds(temporary: Path) -> None:
    async with demo(temporary) as process:
        async for line in said(process):
            if ANSWER.match(line):
                break
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(20):
            rest = [line async for line in said(process)]
            assert await process.wait() == 130, rest
    assert left(temporary) == []
    assert files(temporary) == []

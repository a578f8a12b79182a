"""Log lines (H11, H41, P12): what they look like, when they are written, what is lost."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest

from esclusa.kernel.clock import Clock
from esclusa.kernel.instrument import Instrument, Level
from esclusa.observability import logs
from esclusa.observability.logs import Format, Logs
from esclusa.testing.virtual import EPOCH

ID = UUID("01a3185c-50c3-73d0-b29a-252bd5b8870e")


class Pipe:
    """Standard error, and whoever reads it."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()

    async def line(self) -> bytes:
        """The next line, which has to come by itself."""
        return await asyncio.to_thread(self._line)

    def _line(self) -> bytes:
        said = b""
        while not said.endswith(b"\n"):
            said += os.read(self.reading, 1)
        return said

    def rest(self) -> list[bytes]:
        """All that is left, once everything has been written."""
        os.close(self.writing)
        with os.fdopen(self.reading, "rb") as left:
            return left.read().splitlines()


class Watched(Logs):
    """Logs that say when they begin to write."""

    def __init__(self, pipe: Pipe, style: Format) -> None:
        super().__init__(Clock(epoch=EPOCH), style, descriptor=pipe.writing)
        self.writing = threading.Event()

    def _write(self, data: bytes) -> None:
        self.writing.set()
        super()._write(data)


@asynccontextmanager
async def started(pipe: Pipe, style: Format = "json") -> AsyncIterator[Watched]:
    made = Watched(pipe, style)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def test_a_line_is_json_with_its_time_its_level_and_its_facts() -> None:
    pipe = Pipe()
    async with started(pipe) as sink:
        Instrument(sink, Level.INFO).info("call answered", connector="dgt", request=ID, elapsedMs=120, ok=True, where=["a"])
    (line,) = pipe.rest()
    said = json.loads(line)
    assert list(said)[:3] == ["time", "level", "event"]
    assert said.pop("time").startswith("2027-01-15T08:00:00.")
    assert said == {
        "level": "info",
        "event": "call answered",
        "connector": "dgt",
        "request": str(ID),
        "elapsedMs": 120,
        "ok": True,
        "where": ["a"],
    }


async def test_a_line_is_words_for_people() -> None:
    pipe = Pipe()
    async with started(pipe, "console") as sink:
        Instrument(sink, Level.DEBUG).warn("line full", connector="dgt", detail="two\nlines")
    (line,) = pipe.rest()
    assert line.startswith(b"2027-01-15T08:00:00.")
    for said in (b"warn", b"line full", b"connector=dgt", b"detail='two\\nlines'"):
        assert said in line


async def test_moments_are_read_as_times_of_day() -> None:
    pipe = Pipe()
    async with started(pipe, "console") as sink:
        Instrument(sink, Level.DEBUG).info("call ended", offered=1_800_000_000_123, called=None)
    (line,) = pipe.rest()
    assert b"offered=08:00:00.123 called=None" in line


@pytest.mark.parametrize("style", ["json", "console"])
async def test_no_fact_makes_a_line_fail_or_two_of_it(style: Format) -> None:
    pipe = Pipe()
    async with started(pipe, style) as sink:
        facts = {"a": "\ud800", "b": 2**70, "c": ValueError("x\ny"), "d": {1}, "e": b"\xff", "f": float("nan"), "g": "\u2028"}
        sink(Level.INFO, "odd", facts)
    assert len(pipe.rest()) == 1


def shown(style: Format) -> str:
    """A line as a terminal gets it."""
    reading, writing = os.openpty()
    try:
        Logs(Clock(epoch=EPOCH), style, descriptor=writing)(Level.WARN, "line full", {"connector": "dgt"})
        return os.read(reading, 1000).decode()
    finally:
        os.close(reading)
        os.close(writing)


async def test_unless_it_is_told_it_writes_for_people_on_a_terminal_and_json_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "line full" in shown("auto")
    assert "{" not in shown("auto")
    assert json.loads(shown("json"))["connector"] == "dgt"
    pipe = Pipe()
    async with started(pipe, "auto") as sink:
        sink(Level.INFO, "one", {})
    (line,) = pipe.rest()
    assert json.loads(line)["event"] == "one"


@pytest.mark.parametrize(("said", "coloured"), [(None, True), ("", True), ("1", False)])
async def test_colours_are_for_terminals_whose_user_wants_them(
    monkeypatch: pytest.MonkeyPatch, said: str | None, *, coloured: bool
) -> None:
    """https://no-color.org: the variable counts when it is not empty."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    if said is not None:
        monkeypatch.setenv("NO_COLOR", said)
    assert ("\x1b" in shown("auto")) is coloured


async def test_no_colours_go_into_a_file() -> None:
    pipe = Pipe()
    async with started(pipe, "console") as sink:
        sink(Level.WARN, "line full", {"connector": "dgt"})
    assert b"\x1b" not in pipe.rest()[0]


async def test_lines_are_written_by_themselves() -> None:
    pipe = Pipe()
    async with started(pipe) as sink:
        sink(Level.INFO, "one", {})
        sink(Level.INFO, "two", {})
        assert b'"one"' in await pipe.line()
        assert b'"two"' in await pipe.line()


async def test_an_error_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "EVERY", 3600)
    pipe = Pipe()
    async with started(pipe) as sink:
        sink(Level.INFO, "before", {})
        sink(Level.ERROR, "bad", {})
        assert b'"before"' in await pipe.line()
        assert b'"bad"' in await pipe.line()


async def test_the_last_lines_are_written_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "EVERY", 3600)
    pipe = Pipe()
    async with started(pipe) as sink:
        for number in range(500):
            sink(Level.INFO, "line", {"n": number})
    assert [json.loads(line)["n"] for line in pipe.rest()] == list(range(500))


async def test_before_its_start_and_after_its_stop_a_line_is_written_at_once() -> None:
    pipe = Pipe()
    made = Logs(Clock(), "json", descriptor=pipe.writing)
    made(Level.INFO, "before", {})
    assert b'"before"' in await pipe.line()
    await made.start()
    await made.stop()
    made(Level.INFO, "after", {})
    assert b'"after"' in await pipe.line()


async def test_nobody_waits_for_standard_error_and_what_it_does_not_take_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "ROOM", 10)
    pipe = Pipe()
    async with started(pipe) as sink:
        fat = {"fat": "x" * 100_000}  # more than a pipe holds
        sink(Level.ERROR, "first", fat)
        await asyncio.to_thread(sink.writing.wait)
        for _ in range(15):
            sink(Level.INFO, "more", {})
        said = [json.loads(await pipe.line()) for _ in range(12)]
    assert [line["event"] for line in said] == ["first", *["more"] * 10, "log lines dropped"]
    assert said[-1]["count"] == 5


async def test_a_reader_that_has_gone_stops_nobody() -> None:
    pipe = Pipe()
    async with started(pipe) as sink:
        os.close(pipe.reading)
        sink(Level.ERROR, "to nobody", {})
    os.close(pipe.writing)


async def test_a_terminal_that_somebody_made_non_blocking_gets_everything() -> None:
    pipe = Pipe()
    os.set_blocking(pipe.writing, False)
    async with started(pipe) as sink:
        sink(Level.ERROR, "fat", {"fat": "x" * 300_000})
        assert len(await pipe.line()) > 300_000


async def test_what_libraries_say_is_taken_from_warnings_on() -> None:
    pipe = Pipe()
    async with started(pipe):
        library = logging.getLogger("some.library")
        library.info("not this")
        library.warning("the %s is full", "pool")
        try:
            dict[str, str]()["12345678Z"]
        except KeyError:
            library.exception("it failed")
    first, second = (json.loads(line) for line in pipe.rest())
    assert (first["level"], first["event"], first["logger"]) == ("warn", "library", "some.library")
    assert first["message"] == "the pool is full"
    assert (second["level"], second["error"]) == ("error", "KeyError")
    assert "test_logs.py" in second["at"][-1]
    assert "12345678Z" not in json.dumps(second)


async def test_once_stopped_libraries_are_let_go() -> None:
    before = list(logging.getLogger().handlers)
    pipe = Pipe()
    async with started(pipe):
        assert len(logging.getLogger().handlers) == len(before) + 1
    assert logging.getLogger().handlers == before


CRASH = """
import asyncio
from esclusa.kernel.clock import Clock
from esclusa.kernel.instrument import Level
from esclusa.observability.logs import Logs

async def main():
    logs = Logs(Clock(), "json")
    await logs.start()
    logs(Level.INFO, "last words", {})
    raise SystemExit(3)

asyncio.run(main())
"""


def test_a_process_that_ends_in_a_hurry_loses_nothing(tmp_path: Path) -> None:
    program = tmp_path / "crash.py"
    program.write_text(CRASH, encoding="utf-8")
    ended = subprocess.run([sys.executable, str(program)], capture_output=True, timeout=30, check=False)  # noqa: S603 - our own program
    assert ended.returncode == 3
    assert json.loads(ended.stderr)["event"] == "last words"

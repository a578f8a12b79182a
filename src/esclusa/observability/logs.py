"""Log lines to standard error: JSON for machines, words and colours for people.

A line has to cost little, because a line a back-end call is what this program logs. So it is encoded by msgspec and
gathered, and a thread of its own writes what there is every 100 ms: whoever reads standard error slowly slows nobody down,
and a loop that hangs does not hold back what led to it. An error is written at once. A process that is killed loses those
100 ms at most; one that ends in any other way loses nothing. What standard error does not take is dropped beyond `ROOM`
lines, and counted.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import select
import threading
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec
from structlog.dev import ConsoleRenderer

from esclusa.kernel.clock import Clock, rfc3339
from esclusa.kernel.instrument import Level

EVERY = 0.1
"""Seconds between two writes."""
ROOM = 20_000
"""Lines that may wait for standard error to take them."""
_FAREWELL = 2.0
"""Seconds that standard error has to take the last of them."""
_STANDARD_ERROR = 2

Format = Literal["auto", "json", "console"]
"""`auto`: `console` on a terminal, `json` elsewhere."""
_NAMES: Mapping[Level, str] = {level: level.name.lower() for level in Level}


class Logs:
    """The sink of a process's `Instrument`, and the part that writes. Start it first, so that it is stopped last.

    Before it is started and after it is stopped, a line is written at once.
    """

    def __init__(self, clock: Clock, style: Format, *, descriptor: int = _STANDARD_ERROR) -> None:
        """`descriptor`: of an open file. Colours are for terminals, unless the environment has `NO_COLOR`."""
        self._clock = clock
        self._descriptor = descriptor
        terminal = os.isatty(descriptor)
        for_people = terminal if style == "auto" else style == "console"
        self._form = _console(colours=terminal and not os.environ.get("NO_COLOR")) if for_people else _json()
        self._lines: deque[bytes] = deque()
        self._dropped = 0
        self._something = threading.Event()
        self._at_once = threading.Event()
        self._writer: threading.Thread | None = None
        self._bridge = _Bridge(self)

    def __call__(self, level: Level, event: str, facts: dict[str, Any]) -> None:
        """Take one line (`kernel.instrument.Sink`). Never raises; any thread may call it."""
        line = self._form(rfc3339(self._clock.millis()), _NAMES[level], event, facts)
        if self._writer is None:
            self._write(line)
            return
        if len(self._lines) >= ROOM:
            self._dropped += 1
            return
        self._lines.append(line)
        if not self._something.is_set():
            self._something.set()
        if level >= Level.ERROR:
            self._at_once.set()

    async def start(self) -> None:
        """Write from a thread from now on, and take what libraries log as well."""
        self._writer = threading.Thread(target=self._run, name="logs", daemon=True)
        self._writer.start()
        atexit.register(self._finish)
        logging.getLogger().addHandler(self._bridge)

    async def drain(self) -> None:
        """The others still have something to say."""

    async def stop(self) -> None:
        """Write what is left."""
        logging.getLogger().removeHandler(self._bridge)
        atexit.unregister(self._finish)
        await asyncio.get_running_loop().run_in_executor(None, self._finish)

    def _finish(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            self._at_once.set()
            self._something.set()
            writer.join(_FAREWELL)

    def _run(self) -> None:
        while self._writer is not None or self._lines:
            self._something.wait()
            self._at_once.wait(EVERY)
            self._something.clear()
            self._at_once.clear()
            self._write(self._taken())

    def _taken(self) -> bytes:
        """All that has been gathered; whatever comes meanwhile is for the next time."""
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            lines.append(self._form(rfc3339(self._clock.millis()), "warn", "log lines dropped", {"count": dropped}))
        return b"".join(lines)

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:  # somebody who shares the terminal has made it so
                select.select([], [self._descriptor], [], EVERY)
            except OSError:
                return  # nobody reads any more


class _Bridge(logging.Handler):
    """What libraries say by the standard library's logging: warnings and worse, in our form."""

    def __init__(self, logs: Logs) -> None:
        super().__init__(logging.WARNING)
        self._logs = logs

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one on. An exception's message is left out: it may quote what belongs to a person."""
        facts: dict[str, Any] = {"logger": record.name, "message": record.getMessage()}
        if record.exc_info is not None and record.exc_info[0] is not None:
            kind, _, where = record.exc_info
            facts["error"] = kind.__name__
            facts["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(where)[-8:]]
        self._logs(Level.ERROR if record.levelno >= logging.ERROR else Level.WARN, "library", facts)


_MOMENTS = ("offered", "called", "answered")
"""Facts that are milliseconds since the epoch: for reading, the time of day in UTC, as that of the line."""
_CLOCK = slice(11, 23)
_Form = Callable[[str, str, str, dict[str, Any]], bytes]


def _json() -> _Form:
    encode = msgspec.json.Encoder(enc_hook=str).encode

    def form(time: str, level: str, event: str, facts: dict[str, Any]) -> bytes:
        try:
            return encode({"time": time, "level": level, "event": event, **facts}) + b"\n"
        except Exception:  # noqa: BLE001 - a line that can't be encoded is no reason for its part to fail
            plain = {name: ascii(value) for name, value in facts.items()}
            return encode({"time": time, "level": level, "event": event, **plain}) + b"\n"

    return form


def _console(*, colours: bool) -> _Form:
    render = ConsoleRenderer(colors=colours, pad_event_to=20, sort_keys=False)

    def form(time: str, level: str, event: str, facts: dict[str, Any]) -> bytes:
        facts |= {name: rfc3339(facts[name])[_CLOCK] for name in _MOMENTS if isinstance(facts.get(name), int)}
        line = render(None, level, {"timestamp": time, "level": level, "event": event, **facts})
        return line.encode("utf-8", "backslashreplace") + b"\n"

    return form

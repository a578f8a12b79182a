"""The demo country as whoever started it sees it: a process of its own that ends when it is let go, whatever happens."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from esclusa.kernel.clock import Clock

_START = 15.0
"""Seconds that it has to say where its bodies are."""
_END = 5.0
"""Seconds that it has to end before it is killed."""


class Hello(msgspec.Struct, frozen=True):
    """What it says once it is ready."""

    ports: dict[str, int]


@asynccontextmanager
async def country_process(clock: Clock) -> AsyncIterator[dict[str, int]]:
    """The ports of all bodies, by name, for as long as the context lasts. `ChildProcessError` when it doesn't start.

    It is in a session of its own, so that a Ctrl-C is its starter's alone; and it watches its standard input, so that it
    ends even if its starter is killed.
    """
    command = [sys.executable, "-P", "-m", "esclusa.demo.country"]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, start_new_session=True)
    if process.stdin is None or process.stdout is None:
        raise ChildProcessError("the demo country has no pipes")
    try:
        try:
            async with clock.timeout_at(clock.now() + _START):
                hello = msgspec.json.decode(await process.stdout.readline(), type=Hello)
        except (TimeoutError, msgspec.MsgspecError) as error:
            raise ChildProcessError("the demo country did not start") from error
        yield hello.ports
    finally:
        process.stdin.close()
        try:
            async with clock.timeout_at(clock.now() + _END):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

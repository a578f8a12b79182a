"""The demo country in a process of its own: every body a real HTTP server on a loopback port.

`python -m esclusa.demo.country` prints one line of JSON once all of them are ready, `{"ports": {"dgt": 40123, ...}}`, and
serves until SIGTERM or Ctrl-C or, when its standard input is a pipe, until whoever holds the other end is gone.
`--first-port 18100` gives the bodies the ports that the demo's configuration takes by default.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import stat
import sys
from collections.abc import Callable, Sequence

import msgspec

from esclusa.demo.bodies import BODIES, Body
from esclusa.demo.desk import Desk
from esclusa.kernel.clock import Clock
from esclusa.kernel.lifecycle import Background, Lifecycle


class Country:
    """A part (`kernel.lifecycle`): `bodies`, each at a desk; `first_port` 0: on any free ports."""

    def __init__(self, clock: Clock, bodies: Sequence[Body] = BODIES, *, first_port: int = 0) -> None:
        self.background = Background("country")
        self._first_port = first_port
        self._desks = [Desk(body, clock, self.background) for body in bodies]

    @property
    def ports(self) -> dict[str, int]:
        """Where each body is, by its name; known once started."""
        return {desk.body.name: desk.port for desk in self._desks}

    async def start(self) -> None:
        """Open every desk; `OSError` when one of the ports is taken."""
        try:
            for place, desk in enumerate(self._desks):
                await desk.open(self._first_port + place if self._first_port else 0)
        except BaseException:
            await self.stop()
            raise

    async def drain(self) -> None:
        """Nothing: who asks a body in this country is used to being cut off."""

    async def stop(self) -> None:
        """Close every desk and every connection."""
        for desk in self._desks:
            desk.close()
        await self.background.cancel()


class _Leash(asyncio.Protocol):
    """Calls `gone` when the other end of a pipe is closed."""

    def __init__(self, gone: Callable[[], None]) -> None:
        self._gone = gone

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        self._gone()


async def serve(first_port: int = 0) -> None:
    """Serve the whole country until told to end; see the module."""
    loop = asyncio.get_running_loop()
    country = Country(Clock(), first_port=first_port)
    async with Lifecycle([country]) as lifecycle:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lifecycle.end)
        if _is_pipe(sys.stdin.fileno()):
            await loop.connect_read_pipe(lambda: _Leash(lifecycle.end), sys.stdin)
        sys.stdout.write(msgspec.json.encode({"ports": country.ports}).decode() + "\n")
        sys.stdout.flush()
        await lifecycle.ended()


def _is_pipe(descriptor: int) -> bool:
    """Somebody may hold the other end (some parents make a pair of sockets for it)."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m esclusa.demo.country", description="Run the demo country.")
    parser.add_argument("--first-port", type=int, default=0, help="the first body's port, the next one's is one more; 0: any")
    asyncio.run(serve(parser.parse_args(arguments).first_port))


if __name__ == "__main__":
    main()

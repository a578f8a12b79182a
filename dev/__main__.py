"""`python -m dev up | down | status`: engines in the background, of which there is one set a user."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from dev.cassandra import Cassandra
from dev.cluster import Cluster
from dev.jars import Missing, cache
from dev.kafka import Kafka
from dev.node import NotReady

if TYPE_CHECKING:
    from dev.secured import Secured

ENGINES: Mapping[str, type[Cluster]] = {"kafka": Kafka, "cassandra": Cassandra}
PATIENCE = 600.0
"""Seconds that `up` waits for the engines, whose packages may have to be fetched, and `down` for their end."""
LOOK = 0.1


class Background:
    """What runs in the background: a process that holds a lock, and a file that says what it has started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.secured = folder / "secured"
        """Certificates and passwords, where the engines are secured ones."""
        self._lock = folder / "lock"
        self._state = folder / "state.json"

    def running(self) -> int | None:
        """The process, if it is there."""
        try:
            with self._lock.open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return None
        except BlockingIOError:
            return int(self._lock.read_text() or 0) or None
        return None

    def addresses(self) -> dict[str, list[str]]:
        """`host:port` of each node by engine; empty until all serve."""
        if self.running() is None or not self._state.exists():
            return {}
        addresses: dict[str, list[str]] = json.loads(self._state.read_text())
        return addresses

    async def serve(self, engines: list[str], nodes: int, *, secured: bool) -> None:
        """Be that process: start the engines, and stop them on SIGTERM or SIGINT."""
        self.folder.mkdir(parents=True, exist_ok=True)
        over = asyncio.Event()
        for which in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(which, over.set)
        with self._lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._lock.write_text(str(os.getpid()))
            self._state.unlink(missing_ok=True)
            data = self.folder / "data"
            for old in (data, self.secured):
                shutil.rmtree(old, ignore_errors=True)
            security = _secured(self.secured) if secured else None
            async with AsyncExitStack() as stack:
                clusters = [ENGINES[name](data, nodes, security) for name in engines]
                await asyncio.gather(*(stack.enter_async_context(cluster) for cluster in clusters))
                written = self._state.with_suffix(".new")
                written.write_text(json.dumps({cluster.name: cluster.addresses for cluster in clusters}))
                written.rename(self._state)
                await over.wait()
                self._state.unlink()
            for old in (data, self.secured):
                shutil.rmtree(old, ignore_errors=True)


def _secured(folder: Path) -> Secured:
    from dev.secured import Secured  # noqa: PLC0415 - plain engines are started without the packages that it needs

    return Secured(folder)


def main(arguments: list[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m dev", description="Real engines for tests and demos, without containers.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (("up", "start engines in the background"), ("serve", "start engines, and stop them on Ctrl-C")):
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument("engines", nargs="+", choices=sorted(ENGINES), metavar="ENGINE", help=", ".join(sorted(ENGINES)))
        command.add_argument("--nodes", type=int, choices=(1, 3), default=1, help="of each engine (1)")
        command.add_argument("--secured", action="store_true", help="with TLS and users, whose passwords are in a file")
    commands.add_parser("down", help="stop what runs in the background")
    status = commands.add_parser("status", help="what runs in the background, and where")
    status.add_argument("--json", action="store_true", help="as JSON")
    options = parser.parse_args(arguments)
    background = Background(cache() / "run")
    try:
        if options.command == "up":
            return _up(background, options.engines, options.nodes, secured=options.secured)
        if options.command == "serve":
            asyncio.run(background.serve(options.engines, options.nodes, secured=options.secured))
            return 0
        if options.command == "down":
            return _down(background)
    except (Missing, NotReady) as error:
        print(f"dev: {error}", file=sys.stderr)
        return 1
    except BlockingIOError:
        print("dev: engines are running already: python -m dev down", file=sys.stderr)
        return 1
    return _status(background, as_json=options.json)


def _up(background: Background, engines: list[str], nodes: int, *, secured: bool) -> int:
    if background.running() is not None:
        print("dev: engines are running already: python -m dev down", file=sys.stderr)
        return 1
    background.folder.mkdir(parents=True, exist_ok=True)
    print(f"starting {', '.join(engines)} (the first time, packages are fetched) ...", file=sys.stderr)
    command = [sys.executable, "-m", "dev", "serve", *engines, "--nodes", str(nodes), *(["--secured"] if secured else [])]
    with background.log.open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    until = time.monotonic() + PATIENCE
    while not background.addresses():
        if process.poll() is not None or time.monotonic() > until:
            print(f"dev: {background.log.read_text(errors='replace').strip()}", file=sys.stderr)
            process.terminate()
            return 1
        time.sleep(LOOK)
    return _status(background, as_json=False)


def _down(background: Background) -> int:
    pid = background.running()
    if pid is None:
        print("nothing runs", file=sys.stderr)
        return 0
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while background.running() is not None:
        if time.monotonic() > until:
            print(f"dev: process {pid} does not end", file=sys.stderr)
            return 1
        time.sleep(LOOK)
    return 0


def _status(background: Background, *, as_json: bool) -> int:
    addresses = background.addresses()
    if as_json:
        print(json.dumps(addresses))
    elif not addresses:
        print("nothing runs")
    for name, each in {} if as_json else addresses.items():
        print(f"{name:<12}{', '.join(each)}")
    if addresses and not as_json and background.secured.exists():
        print(f"{'secured':<12}{background.secured}: ca.pem, client.pem, client.key, users.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())

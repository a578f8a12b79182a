"""`esclusa run` as a process of its own, to be killed, stopped and started again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from support.poll import until

KEY = "a key for tests alone"
STARTING = 60.0
"""Seconds that a process has to be ready: there may be many on few cores."""


def free_port() -> int:
    """One that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Program:
    """One configuration and the process that runs it."""

    def __init__(
        self,
        folder: Path,
        connectors: str,
        *,
        query: str = 'ttl = "8s"',
        more: str = "",
        data: str = "data",
        engines: str = "",
        roles: Sequence[str] = (),
        pools: Sequence[str] = (),
    ) -> None:
        """`engines`: further lines of `[esclusa]`; `roles`: what it does, and `pools`: for whom, all unless given."""
        self.folder = folder
        self.arguments = [word for role in roles for word in ("--role", role)]
        self.arguments += [word for pool in pools for word in ("--pool", pool)]
        self.port = free_port()
        self.file = folder / "esclusa.toml"
        self.file.write_text(
            f'[esclusa]\ndata = "{data}"\n{engines}\n[server]\nlisten = "127.0.0.1:{self.port}"\n'
            f'[clients.tests]\nkey = "{KEY}"\npermissions = ["ask-for-anyone"]\n'
            f"[hub]\nmaxOpenPerSubject = 100000\n[queries.q]\n{query}\n{more}\n{connectors}"
        )
        self.process: asyncio.subprocess.Process | None = None
        self.environ: dict[str, str] = {}
        self.before: list[str] = []
        """A command that starts it, where it isn't started as such."""

    async def start(self, *, ready: bool = True) -> None:
        """Start it, and return when it is ready."""
        log = (self.folder / "log").open("ab")
        self.process = await asyncio.create_subprocess_exec(
            *self.before, str(Path(sys.executable).with_name("esclusa")), "run", str(self.file), *self.arguments,
            stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL, env={**os.environ, **self.environ},
        )  # fmt: skip
        log.close()
        if ready:
            await until(self.ready, seconds=STARTING)

    async def ready(self) -> bool:
        """Whether it says that it is; `AssertionError` once it has ended."""
        if self.process is None or self.process.returncode is not None:
            raise AssertionError(f"it has ended: {self.log()[-2000:]}")
        return await self.answers("/health/ready")

    async def answers(self, path: str) -> bool:
        """Whether it answers 200."""
        try:
            async with self.client() as client:
                return (await client.get(path)).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    async def kill(self) -> None:
        """As nobody can refuse."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def terminate(self) -> int:
        """As an administrator does; the exit code."""
        assert self.process is not None
        self.signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            return await self.process.wait()

    def signal(self, which: signal.Signals) -> None:
        """Send it one."""
        assert self.process is not None
        self.process.send_signal(which)

    async def metric(self, name: str, **labels: str) -> float:
        """What it has counted under a name, of the rows with these labels."""
        async with self.client() as client:
            said = (await client.get("/metrics")).text
        rows = [line for line in said.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(float(row.rpartition(" ")[2]) for row in rows if all(each in row for each in wanted))

    def client(self, timeout: float = 10.0) -> httpx.AsyncClient:
        """One that may do what the tests do."""
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=timeout,
            trust_env=False,
        )

    def log(self) -> str:
        """What it has said so far."""
        return (self.folder / "log").read_text()


def question(subject: str = "12345678Z", **more: Any) -> Mapping[str, Any]:
    """The body of a submission."""
    return {"query": "q", "subject": subject, **more}


def lines(log: str) -> list[dict[str, Any]]:
    """The log's JSON lines."""
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]

"""The machine: which core is measured, and what has to be said of it beside the figures."""

from __future__ import annotations

import os
import platform
import resource
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

PACKAGES = ("esclusa", "uvloop", "httptools", "msgspec", "cryptography", "aiohttp")


class Machine(msgspec.Struct, frozen=True):
    """What the figures were measured on, and with."""

    date: str
    processor: str
    cores: int
    system: str
    python: str
    versions: dict[str, str]
    load: float
    """How many processes were running before: figures of a machine that is not quiet say little."""


def described() -> Machine:
    """This machine."""
    versions = {name: version(name) for name in PACKAGES}
    versions["SQLite"] = sqlite3.sqlite_version
    return Machine(
        datetime.now(UTC).date().isoformat(),
        _processor(),
        len(os.sched_getaffinity(0)),
        f"{platform.system()} {platform.release()}",
        platform.python_version(),
        versions,
        os.getloadavg()[0],
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def cores() -> tuple[int, int]:
    """The core that is measured, and the one that the back ends have; the same one where there is no other."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[-1], usable[0]


def settle(core: int) -> None:
    """This process runs on `core` alone, and may open as many files as it is allowed to."""
    os.sched_setaffinity(0, {core})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

"""The machine: what has to be said of it beside the figures, and which of its cores does what."""

from __future__ import annotations

import multiprocessing
import os
import platform
import resource
import sqlite3
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import uvloop
from dev import cassandra, kafka

T = TypeVar("T")
Measure = Callable[[], Coroutine[Any, Any, T]]

PACKAGES = (
    "esclusa", "uvloop", "httptools", "msgspec", "cryptography", "zeep", "confluent-kafka", "acsylla",
    "aiohttp", "httpx", "pyreqwest", "aiokafka",
)  # fmt: skip


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
    versions |= {"SQLite": sqlite3.sqlite_version, "Apache Kafka": kafka.VERSION, "Apache Cassandra": cassandra.VERSION}
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


def alone(measure: Measure[T]) -> T:
    """What `measure` finds in a fresh process that has the measured core: nothing of an earlier measure is left there."""
    core, _ = cores()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=settle, initargs=(core,)) as processes:
        return processes.submit(_run, measure).result()


def _run(measure: Measure[T]) -> T:
    return uvloop.run(measure())

"""Whose processor time it was: the loop's, that of the engines' own threads, or that of the clients' libraries."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import msgspec
from msgspec.structs import astuple

TASKS = Path("/proc/self/task")


class Spent(msgspec.Struct, frozen=True):
    """Processor time by who spent it: seconds, or whatever they have been divided into."""

    loop: float
    """The event loop: all of our own Python but a few lines, and the drivers' parts that run there."""
    threads: float
    """Threads of the engines in Python: fetching, delivery reports, memberships."""
    kafka: float
    """librdkafka's own threads."""
    cassandra: float
    """The C++ driver's own threads."""

    def less(self, before: Spent) -> Spent:
        """Since `before`."""
        return Spent(*(now - then for now, then in zip(astuple(self), astuple(before), strict=True)))

    def over(self, count: float) -> Spent:
        """Each divided by `count`."""
        return Spent(*(each / count for each in astuple(self)))


def spent() -> Spent:
    """Until now, in seconds."""
    python = {thread.native_id: thread for thread in threading.enumerate()}
    seconds: Counter[str] = Counter()
    for task in TASKS.iterdir():
        thread = python.get(int(task.name))
        if thread is threading.main_thread():
            who = "loop"
        elif thread is not None:
            who = "threads"
        elif (task / "comm").read_text(encoding="ascii").startswith("rdk:"):
            who = "kafka"
        else:
            who = "cassandra"
        seconds[who] += int((task / "schedstat").read_text(encoding="ascii").split()[0])
    return Spent(*(seconds[name] / 1e9 for name in Spent.__struct_fields__))

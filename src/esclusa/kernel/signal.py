"""Moments inside a part that a test waits for, instead of sleeping.

A part says `signals.emit("pool.recovered", partition=3)`; nobody listens in production and it costs one test of a list.
A test says `await signals.wait("pool.recovered")`: a signal that was given before counts, once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any


class Signals:
    """A board of signals; silent until `listen` is called (tests do, production never)."""

    __slots__ = ("_given", "_waiting")

    def __init__(self) -> None:
        self._given: deque[tuple[str, dict[str, Any]]] | None = None
        self._waiting: list[tuple[str, dict[str, Any], asyncio.Future[dict[str, Any]]]] = []

    def listen(self) -> None:
        """Start to remember signals: the last 10,000."""
        self._given = deque(maxlen=10_000)

    def emit(self, name: str, **facts: Any) -> None:
        """Say that `name` has happened."""
        if self._given is None:
            return
        for entry in self._waiting:
            wanted, like, future = entry
            if wanted == name and not future.done() and _fits(like, facts):
                self._waiting.remove(entry)
                future.set_result(facts)
                return
        self._given.append((name, facts))

    async def wait(self, name: str, **like: Any) -> dict[str, Any]:
        """The facts of the oldest signal `name` not taken yet whose facts include `like`; waits for it if need be."""
        if self._given is None:
            msg = "nobody listens: call listen() before the part starts"
            raise RuntimeError(msg)
        for entry in self._given:
            if entry[0] == name and _fits(like, entry[1]):
                self._given.remove(entry)
                return entry[1]
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting.append((name, like, future))
        return await future


def _fits(like: dict[str, Any], facts: dict[str, Any]) -> bool:
    return all(facts.get(key) == value for key, value in like.items())
